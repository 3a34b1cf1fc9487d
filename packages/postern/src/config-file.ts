import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { defaultLimits, MessageDelivery } from '@postern/esmtp';
import type { Config } from './config.ts';
import { LOG_FORMS } from './log.ts';
import { Place } from './place.ts';
import { UsageError } from './usage-error.ts';

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
    throw new UsageError(
      `${file}: expected a module that loads: ${error instanceof Error ? error.message : String(error)}`,
      {
        cause: error,
      },
    );
  }
  return checkConfig(module.default, file);
}

/** A file may be JavaScript, so its types prove nothing. */
export function checkConfig(value: unknown, file: string): Config {
  if (!isObject(value)) throw new UsageError(`${file}: expected \`export default defineConfig({…})\``);
  for (const [key, given] of Object.entries(value)) {
    const rule = RULES.get(key);
    if (rule === undefined) {
      throw new UsageError(
        `${file}: unknown property ${JSON.stringify(key)}, expected ${[...RULES.keys()].join(', ')}`,
      );
    }
    if (given !== undefined && !rule.holds(given)) throw new UsageError(`${file}: ${key}: expected ${rule.expected}`);
  }
  return value;
}

interface Rule {
  readonly expected: string;
  holds(value: unknown): boolean;
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;
const isNumber = (value: unknown): value is number => typeof value === 'number';
const isString = (value: unknown): value is string => typeof value === 'string';

function isChecker(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { credentialInterfaces, requestAvatarId } = value;
  return Array.isArray(credentialInterfaces) && typeof requestAvatarId === 'function';
}

function isTls(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { cert, key, clientCa } = value;
  return isString(cert) && isString(key) && optionally(isString)(clientCa);
}

function isSasl(value: unknown): boolean {
  return isObject(value) && Object.entries(value).every(([key, part]) => SASL.get(key)?.(part) ?? false);
}

function areLimits(value: unknown): boolean {
  return isObject(value) && Object.entries(value).every(([key, limit]) => LIMITS.includes(key) && isNumber(limit));
}

const optionally = (holds: Rule['holds']) => (value: unknown) => value === undefined || holds(value);
const SASL_PARTS: Readonly<Record<keyof NonNullable<Config['sasl']>, Rule['holds']>> = {
  mechanisms: optionally((value) => Array.isArray(value) && value.every(isString)),
  login: optionally(isObject),
  digestMd5: optionally(isObject),
  oauth: optionally(isObject),
  scram: optionally(isObject),
};
const SASL: ReadonlyMap<string, Rule['holds']> = new Map(Object.entries(SASL_PARTS));

const LIMITS = [...Object.keys(defaultLimits), 'connections', 'connectionsPerClient'];
const THROTTLE = ['userAndNetwork', 'network', 'site', 'user', 'trusted', 'counts', 'clock'];

const RULES_BY_NAME: Readonly<Record<keyof Config, Rule>> = {
  listen: {
    expected: 'a list of URLs',
    holds: (value) => Array.isArray(value) && value.length > 0 && value.every(isString),
  },
  auth: {
    expected: 'a list of specs and checkers',
    holds: (value) => Array.isArray(value) && value.every((one) => isString(one) || isChecker(one)),
  },
  deliver: {
    expected: 'a spec, relay({…}), maildir({…}), a MessageDelivery or a function',
    holds: (value) =>
      isString(value) || typeof value === 'function' || value instanceof MessageDelivery || value instanceof Place,
  },
  hostname: { expected: 'a string', holds: isString },
  tls: { expected: '{ cert: FILE, key: FILE }, and clientCa: FILE if clients have certificates', holds: isTls },
  sasl: { expected: `an object with ${[...SASL.keys()].join(', ')}`, holds: isSasl },
  limits: { expected: `numbers for ${LIMITS.join(', ')}`, holds: areLimits },
  throttle: {
    expected: `false, or an object with ${THROTTLE.join(', ')}`,
    holds: (value) => value === false || (isObject(value) && Object.keys(value).every((key) => THROTTLE.includes(key))),
  },
  workers: {
    expected: 'a whole number, or auto',
    holds: (value) => value === 'auto' || typeof value === 'number',
  },
  log: { expected: LOG_FORMS.join(' or '), holds: (value) => LOG_FORMS.some((form) => form === value) },
};

const RULES: ReadonlyMap<string, Rule> = new Map(Object.entries(RULES_BY_NAME));

const CONFIG_FILES = ['postern.config.ts', 'postern.config.js'];
