import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { defaultLimits, MessageDelivery, optionalExtensions } from '@postern/esmtp';
import { CHANNEL_BINDING_POLICIES, type Config, type KeyFiles, type NamedKeyFiles } from './config.ts';
import { DeliveryTarget } from './delivery-target.ts';
import { UsageError } from './errors.ts';
import { CONNECTION_LIMITS } from './limits.ts';
import { LOG_FORMS } from './log.ts';
import { type Difference, difference, isObject, type Shape, shapeOf, WHOLE } from './shape.ts';
import { suggestion } from './suggest.ts';

/** The file that holds the configuration: the one named, or the first of {@link CONFIG_FILES} that the folder has. */
export function findConfigFile(named: string | undefined, folder = process.cwd()): string | undefined {
  if (named !== undefined) {
    if (!existsSync(resolve(folder, named))) throw new UsageError(`--config ${named}: expected a file that exists`);
    return resolve(folder, named);
  }
  return CONFIG_FILES.map((name) => resolve(folder, name)).find((file) => existsSync(file));
}

/** What the file exports by default. Node strips the types of a `.ts` file itself; the file may do whatever a module may. */
export async function loadConfig(file: string): Promise<Config> {
  let module: { readonly default?: unknown };
  try {
    module = await import(pathToFileURL(file).href);
  } catch (error) {
    if (error instanceof UsageError) throw new UsageError(`${file}: ${error.message}`, { cause: error });
    throw new UsageError(doesNotLoad(error, file), { cause: error });
  }
  return checkConfig(module.default, file);
}

function doesNotLoad(error: unknown, file: string): string {
  if (!(error instanceof SyntaxError)) {
    return `${file}: expected a module that loads: ${error instanceof Error ? error.message : String(error)}`;
  }
  // Node begins the stack of a syntax error with its place.
  const [, path, line] = /^(?:file:\/\/)?(.*):(\d+)$/m.exec(error.stack?.split('\n', 1)[0] ?? '') ?? [];
  const place = path === file ? `${file}:${line}` : file;
  return `${place}: expected a module that loads: ${error.message}${moduleHint(file)}`;
}

/** `npm init` writes `"type": "commonjs"`, by which Node takes a file of this name for CommonJS. */
function moduleHint(file: string): string {
  const manifest = manifestOf(dirname(file));
  if (manifest === undefined || /\.[cm][jt]s$/.test(file)) return '';
  const { type }: { readonly type?: unknown } = JSON.parse(readFileSync(manifest, 'utf8'));
  if (type !== 'commonjs') return '';
  const name = basename(file).replace(/(?=[jt]s$)/, 'm');
  return `; ${manifest} has "type": "commonjs": expected "type": "module" there, or the name ${name} for the file`;
}

/** Returns the package.json by which Node decides what the files of the folder are; undefined if there is none. */
function manifestOf(folder: string): string | undefined {
  const manifest = join(folder, 'package.json');
  if (existsSync(manifest)) return manifest;
  return dirname(folder) === folder ? undefined : manifestOf(dirname(folder));
}

/** A file may be JavaScript, so its types prove nothing. */
export function checkConfig(value: unknown, file: string): Config {
  if (!isObject(value)) throw new UsageError(`${file}: expected \`export default defineConfig({…})\``);
  for (const [key, given] of Object.entries(value)) {
    const rule = RULES.get(key);
    if (rule === undefined) {
      throw new UsageError(
        `${file}: unknown property ${JSON.stringify(key)}, expected ${[...RULES.keys()].join(', ')}${suggestion(key, RULES.keys())}`,
      );
    }
    const found = given === undefined ? undefined : rule.difference(given);
    if (found !== undefined) {
      throw new UsageError(`${file}: ${key}${found.path}: expected ${rule.expected}${found.hint}`);
    }
  }
  return value;
}

interface Rule {
  readonly expected: string;
  /** Returns where the value is not what is expected; undefined if it is. */
  difference(value: unknown): Difference | undefined;
}

function rule(expected: string, holds: (value: unknown) => boolean): Rule {
  return { expected, difference: (value) => (holds(value) ? undefined : WHOLE) };
}

function shaped(expected: string, shape: Shape): Rule {
  return { expected, difference: (value) => difference(value, shape) };
}

const isNumber = (value: unknown): value is number => typeof value === 'number';
const isString = (value: unknown): value is string => typeof value === 'string';
const isFunction = (value: unknown) => typeof value === 'function';
const listOf = (holds: (value: unknown) => boolean) => (value: unknown) => Array.isArray(value) && value.every(holds);
const oneOf = (words: readonly string[]) => (value: unknown) => words.some((word) => word === value);

function isChecker(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { credentialInterfaces, requestAvatarId } = value;
  return Array.isArray(credentialInterfaces) && typeof requestAvatarId === 'function';
}

/** Names, each with its addresses. */
function isTable(value: unknown): boolean {
  if (!isObject(value) || Array.isArray(value)) return false;
  const entries: readonly unknown[] = value instanceof Map ? [...value] : Object.entries(value);
  return entries.every((entry) => {
    const [name, targets] = entry as readonly unknown[];
    return isString(name) && (isString(targets) || listOf(isString)(targets));
  });
}

function tlsDifference(value: unknown): Difference | undefined {
  return keyFilesDifference(value, TLS);
}

/** A misspelt name counts first: `certs` says more than that `cert` is missing. */
function keyFilesDifference(value: unknown, shape: Shape): Difference | undefined {
  const found = difference(value, shape);
  if (found !== undefined || !isObject(value)) return found;
  const { cert, key } = value;
  return isString(cert) && isString(key) ? undefined : WHOLE;
}

/** `mechanisms, login (usernamePrompt, passwordPrompt), …` */
function expectedSasl(): string {
  const parts = Array.from(SASL, ([key, part]) =>
    part instanceof Map ? `${key} (${[...part.keys()].join(', ')})` : key,
  );
  return `an object with ${parts.join(', ')}`;
}

type Options<T> = Readonly<Record<keyof NonNullable<T>, ((value: unknown) => boolean) | Shape>>;

const KEY_FILES_PARTS: Options<KeyFiles> = {
  cert: isString,
  key: isString,
  passphrase: isString,
  passphraseFile: isString,
};
const NAMED_KEY_FILES_PARTS: Options<NamedKeyFiles> = { ...KEY_FILES_PARTS, names: listOf(isString) };
const NAMED_KEY_FILES = shapeOf(NAMED_KEY_FILES_PARTS);

const TLS_PARTS: Options<Config['tls']> = {
  ...KEY_FILES_PARTS,
  named: listOf((one) => keyFilesDifference(one, NAMED_KEY_FILES) === undefined),
  clientCa: isString,
  minVersion: oneOf(['TLSv1.2', 'TLSv1.3']),
  ciphers: isString,
};
const TLS = shapeOf(TLS_PARTS);

type Sasl = NonNullable<Config['sasl']>;
const LOGIN_PARTS: Options<Sasl['login']> = { usernamePrompt: isString, passwordPrompt: isString };
const DIGEST_MD5_PARTS: Options<Sasl['digestMd5']> = {
  realm: isString,
  service: isString,
  hosts: listOf(isString),
  nonce: isFunction,
};
const OAUTH_PARTS: Options<Sasl['oauth']> = {
  scope: isString,
  openidConfiguration: isString,
  hosts: listOf(isString),
  ports: listOf(isNumber),
};
const SCRAM_PARTS: Options<Sasl['scram']> = {
  channelBindings: listOf(oneOf(['tls-exporter', 'tls-server-end-point', 'tls-unique'])),
  reuseExporter: (value) => typeof value === 'boolean',
  key: (value) => value instanceof Uint8Array,
  iterations: isNumber,
  saltLength: isNumber,
  canonical: isFunction,
  nonce: isFunction,
};
const SASL_PARTS: Options<Sasl> = {
  mechanisms: listOf(isString),
  channelBinding: oneOf(CHANNEL_BINDING_POLICIES),
  login: shapeOf(LOGIN_PARTS),
  digestMd5: shapeOf(DIGEST_MD5_PARTS),
  oauth: shapeOf(OAUTH_PARTS),
  scram: shapeOf(SCRAM_PARTS),
};
const SASL = shapeOf(SASL_PARTS);

const LIMITS = [...Object.keys(defaultLimits), ...CONNECTION_LIMITS, 'maxMemory', 'maxConnectionMemory'];
const THROTTLE = ['userAndNetwork', 'network', 'site', 'user', 'trusted', 'counts', 'clock'];
const THROTTLES: Shape = new Map(THROTTLE.map((key) => [key, () => true]));

const PLACE = rule(
  'a spec, relay({…}), maildir({…}), a MessageDelivery or a function',
  (value) =>
    isString(value) ||
    typeof value === 'function' ||
    value instanceof MessageDelivery ||
    value instanceof DeliveryTarget,
);

const RULES_BY_NAME: Readonly<Record<keyof Config, Rule>> = {
  listen: rule(
    "a list of URLs, such as ['smtp://127.0.0.1:2500']",
    (value) => listOf(isString)(value) && (value as readonly unknown[]).length > 0,
  ),
  auth: rule(
    "a list of specs and checkers, such as ['memory:joe:secret']",
    listOf((one) => isString(one) || isChecker(one)),
  ),
  deliver: PLACE,
  notify: PLACE,
  recipients: rule(
    'users, file:FILE, addresses, a list of these, or a function',
    (value) => isString(value) || listOf(isString)(value) || isFunction(value),
  ),
  domains: rule('a list of domains, or *', (value) => isString(value) || listOf(isString)(value)),
  aliases: rule('a file, or an object or a Map of names and addresses', (value) => isString(value) || isTable(value)),
  ownSenders: rule(
    'users, file:FILE, a function, or an object or a Map of names and addresses',
    (value) => isString(value) || isFunction(value) || isTable(value),
  ),
  recipientDelimiter: rule('a string', isString),
  hostname: rule('a string', isString),
  tls: {
    expected:
      '{ cert: FILE, key: FILE }, with clientCa: FILE if clients have certificates, passphrase or passphraseFile: FILE for an encrypted key, named: [{ cert, key, names }], minVersion: TLSv1.2 or TLSv1.3, ciphers',
    difference: tlsDifference,
  },
  sasl: shaped(expectedSasl(), SASL),
  allowCleartext: rule('a list of addresses and networks', listOf(isString)),
  limits: shaped(`numbers for ${LIMITS.join(', ')}`, new Map(LIMITS.map((key) => [key, isNumber]))),
  disabledExtensions: rule(`a list of ${optionalExtensions.join(', ')}`, listOf(oneOf(optionalExtensions))),
  logUsernames: rule('true or false', (value) => typeof value === 'boolean'),
  lenient: rule('true or false', (value) => typeof value === 'boolean'),
  throttle: {
    expected: `false, or an object with ${THROTTLE.join(', ')}`,
    difference: (value) => (value === false ? undefined : difference(value, THROTTLES)),
  },
  scramKey: rule('the name of a file', isString),
  workers: rule('a whole number, or auto', (value) => value === 'auto' || isNumber(value)),
  log: rule(LOG_FORMS.join(' or '), oneOf(LOG_FORMS)),
};

const RULES: ReadonlyMap<string, Rule> = new Map(Object.entries(RULES_BY_NAME));

/** In the order in which they are looked for; Node takes those with an m for ES modules whatever package.json says. */
const CONFIG_FILES = ['postern.config.ts', 'postern.config.mts', 'postern.config.js', 'postern.config.mjs'];
