import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Config } from './config.ts';
import { UsageError } from './errors.ts';

/**
 * Returns the path of the config file: the named file, or the first of {@link CONFIG_FILES} in the
 * folder. Returns undefined if neither exists.
 *
 * @throws UsageError if the named file does not exist.
 */
export function findConfigFile(named: string | undefined, folder = process.cwd()): string | undefined {
  if (named !== undefined) {
    if (!existsSync(resolve(folder, named))) throw new UsageError(`--config ${named}: expected a file that exists`);
    return resolve(folder, named);
  }
  return CONFIG_FILES.map((name) => resolve(folder, name)).find((file) => existsSync(file));
}

/**
 * Imports the file and returns its default export. Node strips the types of a `.ts` file. The file
 * may run any code, as other modules may.
 *
 * @throws UsageError that names the file and the line of a syntax error, or the wrong property.
 */
export async function loadConfig(file: string): Promise<Config> {
  let module: { readonly default?: unknown };
  try {
    module = await import(pathToFileURL(file).href);
  } catch (error) {
    if (error instanceof UsageError) throw new UsageError(`${file}: ${error.message}`, { cause: error });
    throw new UsageError(loadFailure(error, file), { cause: error });
  }
  // Only a command with a config file loads the schema library.
  const { checkConfig } = await import('./config-schema.ts');
  return checkConfig(module.default, file);
}

function loadFailure(error: unknown, file: string): string {
  if (!(error instanceof SyntaxError)) {
    return `${file}: expected a module that loads: ${error instanceof Error ? error.message : String(error)}`;
  }
  // Node begins the stack of a syntax error with its place.
  const [, path, line] = /^(?:file:\/\/)?(.*):(\d+)$/m.exec(error.stack?.split('\n', 1)[0] ?? '') ?? [];
  const place = path === file ? `${file}:${line}` : file;
  return `${place}: expected a module that loads: ${error.message}${moduleHint(file)}`;
}

/**
 * With `"type": "commonjs"`, which `npm init` writes, Node takes a file of this name for CommonJS.
 */
function moduleHint(file: string): string {
  const manifest = manifestOf(dirname(file));
  if (manifest === undefined || /\.[cm][jt]s$/.test(file)) return '';
  const { type }: { readonly type?: unknown } = JSON.parse(readFileSync(manifest, 'utf8'));
  if (type !== 'commonjs') return '';
  const name = basename(file).replace(/(?=[jt]s$)/, 'm');
  return `; ${manifest} has "type": "commonjs": expected "type": "module" there, or the name ${name} for the file`;
}

/**
 * Returns the package.json that decides the module type of the folder's files; undefined without
 * such a file.
 */
function manifestOf(folder: string): string | undefined {
  const manifest = join(folder, 'package.json');
  if (existsSync(manifest)) return manifest;
  return dirname(folder) === folder ? undefined : manifestOf(dirname(folder));
}

/**
 * In the order of the search. Node takes the names with an `m` for ES modules, whatever
 * package.json says.
 */
const CONFIG_FILES = ['postern.config.ts', 'postern.config.mts', 'postern.config.js', 'postern.config.mjs'];
