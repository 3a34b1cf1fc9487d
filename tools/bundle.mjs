// Bundles the command into packages/postern/bundle, unless the bundle is newer than each source.
//
// Node spends most of a start on finding and reading modules: the packages have some 400 files.
// `tsc -b` through tools/node.mjs runs this script, so the command never runs older code.
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, join, sep } from 'node:path';
import { build } from 'esbuild';

const root = join(import.meta.dirname, '..');
const packages = join(root, 'packages');
const command = join(packages, 'postern');
const folder = join(command, 'bundle');

/**
 * The packages that a config file shares with the command, and their files in the bundle. Each file
 * has all exports of its package.
 */
const shared = new Map(
  [
    'postern',
    '@postern/conversation',
    '@postern/core',
    '@postern/cred',
    '@postern/dovecot-auth',
    '@postern/esmtp',
    '@postern/esmtp/client',
    '@postern/http',
    '@postern/http/express',
    '@postern/http/fastify',
    '@postern/http/hono',
    '@postern/http/nginx',
    '@postern/http/node',
    '@postern/imap',
    '@postern/maildir',
    '@postern/managesieve',
    '@postern/node',
    '@postern/pop3',
    '@postern/relay',
    '@postern/sasl',
    '@postern/sasl-profile',
    '@postern/sasl/client',
    '@postern/sasl/experimental',
    '@postern/throttle',
    '@postern/users',
    '@postern/users/sqlite',
    '@postern/users/store',
  ].map((name) => [name, `${name.replace('@postern/', '').replace('/', '.')}.js`]),
);

/**
 * Native and optional packages, and pino, which finds the files of its threads beside its own.
 */
const external = ['@node-rs/argon2', '@postern/crypt', '@postern/postgres', 'pino'];

/** What `postern serve` always loads: one file of the bundle. */
const common = [
  './run-serve.ts',
  ...['core', 'cred', 'sasl', 'sasl-profile', 'throttle', 'conversation', 'node', 'esmtp'].map(
    (name) => `@postern/${name}`,
  ),
];

if (!isFresh()) await bundle();

async function bundle() {
  const { outputFiles, metafile } = await build({
    absWorkingDir: command,
    entryPoints: {
      main: 'src/main.ts',
      // A thread of @postern/users, which starts it by its path.
      'hash-worker': join(packages, 'users/src/hashing/hash-worker.ts'),
      ...Object.fromEntries(Array.from(shared, ([name, file]) => [file.slice(0, -'.js'.length), name])),
    },
    outdir: folder,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node22.18',
    conditions: ['postern-source'],
    external,
    define: { BUNDLED_PACKAGES: JSON.stringify([...shared]) },
    // THIRD-PARTY.txt has the whole licences.
    legalComments: 'none',
    plugins: [{ name: 'in-one-file', setup: commonInOneFile }],
    metafile: true,
    write: false,
    logLevel: 'warning',
  });
  const inputs = Object.keys(metafile.inputs).map((path) => join(command, path));
  const temporary = `${folder}.${process.pid}`;
  rmSync(temporary, { recursive: true, force: true });
  mkdirSync(temporary);
  const classes = classesOf(inputs);
  for (const { path, text } of outputFiles) writeFileSync(join(temporary, basename(path)), withNames(text, classes));
  writeFileSync(join(temporary, 'THIRD-PARTY.txt'), licencesOf(inputs));
  rmSync(folder, { recursive: true, force: true });
  renameSync(temporary, folder);
}

/**
 * Makes each lazily loaded module import all of {@link common}. esbuild writes one file for each
 * set of modules with the same importers: without this import, `common` would be thirty files.
 */
function commonInOneFile({ onLoad, onResolve, resolve }) {
  // Marks the resolutions that this plugin itself asks for.
  const asked = Symbol('asked');
  const lazy = new Set();
  onResolve({ filter: /^common$/, namespace: 'file' }, () => ({ path: 'common', namespace: 'common' }));
  onLoad({ filter: /^common$/, namespace: 'common' }, () => ({
    contents: common.map((name, index) => `export * as package${index} from '${name}';`).join('\n'),
    resolveDir: join(command, 'src'),
  }));
  onResolve({ filter: /./ }, async ({ path, pluginData, ...options }) => {
    if (pluginData === asked) return undefined;
    const isLazy = options.kind === 'dynamic-import' || options.kind === 'entry-point';
    const resolved = await resolve(path, { ...options, pluginData: asked });
    if (isLazy && isHeavy(resolved.path)) lazy.add(resolved.path);
    return resolved;
  });
  onLoad({ filter: /\.ts$/ }, ({ path }) => {
    if (!lazy.has(path)) return undefined;
    return { contents: `import 'common';\n${readFileSync(path, 'utf8')}`, loader: 'ts' };
  });
}

/** Returns false for modules that run without `common`. */
function isHeavy(path) {
  return path.startsWith(packages + sep) && !/[\\/](?:main|help|suggest|hash-worker)\.ts$/.test(path);
}

/**
 * Gives classes that esbuild has renamed their names back: error messages show the names. esbuild
 * calls a class that uses its own name `_Name`, and the second class of a name `Name2`.
 */
function withNames(text, classes) {
  return text.replace(/^var (\w+) = class( \w+)?(?: extends [^{]+)? \{/gm, (head, variable, inner) => {
    const name = classes.has(variable) ? variable : variable.replace(/\d+$/, '');
    if (name === variable && inner === undefined) return head;
    return `${head}\n  static {\n    Object.defineProperty(this, "name", { value: "${name}" });\n  }`;
  });
}

/** Returns the names of all classes in the files. */
function classesOf(files) {
  const sources = files.filter((path) => path.endsWith('s')).map((path) => readFileSync(path, 'utf8'));
  return new Set(sources.flatMap((text) => Array.from(text.matchAll(/\bclass (\w+)/g), ([, name]) => name)));
}

/** Returns the licences of the packages of other projects in the bundle, as these demand. */
function licencesOf(inputs) {
  const folders = new Set(
    inputs.flatMap((path) => /^.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+/.exec(path) ?? []),
  );
  const texts = Array.from(folders, (path) => {
    const { name, version, license } = JSON.parse(readFileSync(join(path, 'package.json'), 'utf8'));
    const files = readdirSync(path).filter((file) => /^(?:licen[cs]e|notice|copying)/i.test(file));
    if (files.length === 0) throw new Error(`${name} has no file with its licence`);
    return [`${name} ${version} (${license})`, ...files.map((file) => readFileSync(join(path, file), 'utf8').trim())];
  });
  const rule = `\n\n${'-'.repeat(80)}\n\n`;
  return `${['The files in this folder contain parts of these packages.', ...texts.sort(([a], [b]) => a.localeCompare(b)).map((lines) => lines.join('\n\n'))].join(rule)}\n`;
}

/** Returns true if no file or folder of the sources is newer than the bundle. */
function isFresh() {
  const bundled = statSync(join(folder, 'main.js'), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const sources = readdirSync(packages)
    .map((name) => join(packages, name, 'src'))
    .flatMap((path) => [path, ...readdirSync(path, { recursive: true }).map((file) => join(path, file))]);
  const settings = ['package-lock.json', 'tools/bundle.mjs', 'packages/postern/package.json'].map((file) =>
    join(root, file),
  );
  return [...sources, ...settings].every((path) => (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0) < bundled);
}
