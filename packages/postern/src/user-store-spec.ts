import type { Crypt, SecretOptions, UserFileFormat, UserStore } from '@postern/users';
import { messageOf, StartError, UsageError, underName } from './errors.ts';
import type { SpecForm, SpecForms } from './option-values.ts';
import { redactSpec } from './redact-spec.ts';
import { secretOf } from './spec-secrets.ts';
import { suggestion } from './suggest.ts';

/** A user store that is open. Some have files that can be read again, or hold connections. */
export type OpenUserStore = UserStore & Partial<AsyncDisposable> & { reload?(): Promise<void> };

/** A user store as a spec names it, before it is open. */
export interface UserStoreSpec {
  /** The spec for messages, without secrets: `sqlite:postern.db`. */
  readonly name: string;
  /** The path of an SQLite database, which can be created. */
  readonly databaseFile?: string;
  /** True if SIGHUP reads the store again. */
  readonly readsFiles: boolean;
  /** True if `postern user` can edit the users. */
  readonly isEditable: boolean;
  /** True if the store keeps SCRAM's server key. */
  readonly keepsScramKey: boolean;
  /**
   * Opens the store. An SQLite database that does not exist is created.
   *
   * @throws StartError that says what is wrong with the database, and what would be right.
   */
  readonly open: (parts: UserStoreParts) => Promise<OpenUserStore>;
}

/** The parts that stores share: the secrets that can be used, and a listener. */
export interface UserStoreParts extends SecretOptions {
  /** Reports that a store cannot read its files again. */
  readonly onError: (error: unknown) => void;
}

/**
 * Resolves to the rest of crypt(3), such as yescrypt. Resolves to undefined if `@postern/crypt` is
 * not installed, or if the system has no libcrypt: then `warn` receives the reason.
 */
export async function loadCrypt(warn: (reason: string) => void = () => {}): Promise<Crypt | undefined> {
  try {
    const { libcrypt } = await import('@postern/crypt');
    return libcrypt();
  } catch (error) {
    if (!isMissing(error, '@postern/crypt')) warn(messageOf(error));
    return undefined;
  }
}

const sqlite: SpecForm<UserStoreSpec> = {
  usage: 'sqlite:PATH',
  summary: 'the users of postern user; created by postern user add',
  parse(path = '') {
    if (path === '') throw new UsageError('expected sqlite:PATH, such as sqlite:/var/lib/postern/users.db');
    const name = `sqlite:${path}`;
    return {
      name,
      databaseFile: path,
      readsFiles: false,
      isEditable: true,
      keepsScramKey: true,
      open: () =>
        opened(name, async () => {
          // Node loads SQLite only for a server that uses it.
          const { SqliteUserStore } = await import('@postern/users/sqlite');
          return await SqliteUserStore.open(path);
        }),
    };
  },
};

const file: SpecForm<UserStoreSpec> = {
  usage: 'file:PATH',
  summary: 'an htpasswd, passwd-file or shadow file; ?format=WORD; SIGHUP reads it again',
  parse(rest = '') {
    const [, path = '', parameters = ''] = /^(.*?)(?:\?(.*))?$/s.exec(rest) ?? [];
    const format = parseFormat(parameters);
    if (path === '') throw new UsageError('expected file:PATH, such as file:/etc/postern/users.htpasswd');
    const name = `file:${path}`;
    return {
      name,
      readsFiles: true,
      isEditable: false,
      keepsScramKey: false,
      open: (parts) =>
        opened(name, async () => {
          const { FileUserStore } = await import('@postern/users');
          return await FileUserStore.open(path, { ...parts, ...(format !== undefined && { format }) });
        }),
    };
  },
};

const postgres: SpecForm<UserStoreSpec> = {
  usage: 'postgres://USER@HOST/DB',
  summary: 'PostgreSQL (npm install @postern/postgres); ?password=env:NAME or file:PATH',
  parse(rest = '') {
    if (!rest.startsWith('//')) throw new UsageError('expected postgres://USER@HOST/DATABASE?password=env:NAME');
    const { url, password } = withoutPassword(`postgres:${rest}`);
    // The text is in quotes for other messages.
    const name = JSON.parse(redactSpec(`postgres:${rest}`)) as string;
    return {
      name,
      readsFiles: false,
      isEditable: true,
      keepsScramKey: true,
      open: () =>
        opened(name, async () => {
          const { PostgresUserStore } = await import('@postern/postgres');
          return await PostgresUserStore.open(url, { ...(password !== undefined && { password }) });
        }),
    };
  },
};

/** The forms of `--db`, which are also forms of `--auth`. */
export const userStoreSpecs: SpecForms<UserStoreSpec> = new Map([
  ['sqlite', sqlite],
  ['file', file],
  ['postgres', postgres],
]);

/**
 * Returns true for a spec with a password that is not in a file or a variable. As an argument every
 * user of the machine can read it.
 */
export function hasLiteralPassword(spec: string): boolean {
  if (!spec.startsWith('postgres:')) return false;
  return /\/\/[^/?#]*:[^@]+@/.test(spec) || /[?&]password=(?!env:|file:|env%3A|file%3A)/i.test(spec);
}

/** The warning for {@link hasLiteralPassword}. */
export const LITERAL_PASSWORD =
  'every user of this machine can read the password in the arguments (ps); expected ?password=env:NAME or file:PATH';

/** Returns true for a user store of the config file: it has `find`, and judges no logins itself. */
export function isUserStore(value: object): value is UserStore {
  return 'find' in value && typeof value.find === 'function' && !('requestAvatarId' in value);
}

/** Returns a spec for a user store of the config file. */
export function ownStore(store: UserStore, name: string): UserStoreSpec {
  return {
    name,
    readsFiles: 'reload' in store,
    isEditable: 'add' in store,
    keepsScramKey: store.scramKey !== undefined,
    open: async () => store,
  };
}

function parseFormat(parameters: string): UserFileFormat | undefined {
  for (const [key, value] of new URLSearchParams(parameters)) {
    const format = USER_FILE_FORMATS.find((known) => known === value);
    if (key !== 'format' || format === undefined) {
      throw new UsageError(`expected ?format=${USER_FILE_FORMATS.join('|')}${suggestion(value, USER_FILE_FORMATS)}`);
    }
    return format;
  }
  return undefined;
}

/** Takes the parameter `password` out of a URL: the client library would not know its forms. */
function withoutPassword(text: string): { readonly url: string; readonly password: string | undefined } {
  const [, base = '', query = ''] = /^([^?]*)\??(.*)$/s.exec(text) ?? [];
  const parameters = new URLSearchParams(query);
  const secret = parameters.get('password');
  parameters.delete('password');
  const rest = parameters.toString();
  return {
    url: rest === '' ? base : `${base}?${rest}`,
    password: secret === null ? undefined : underName('password', () => secretOf(secret)),
  };
}

/** Opens a store. An error names the spec, and the package to install. */
async function opened(name: string, open: () => Promise<OpenUserStore>): Promise<OpenUserStore> {
  try {
    return await open();
  } catch (error) {
    if (isMissing(error, '@postern/postgres')) {
      throw new StartError(`${name}: expected the package for PostgreSQL: npm install @postern/postgres`, {
        cause: error,
      });
    }
    throw new StartError(`cannot open ${name}: ${messageOf(error)}`, { cause: error });
  }
}

/** Returns true if the error says that Node found no such package. */
function isMissing(error: unknown, name: string): boolean {
  return (
    error instanceof Error &&
    'code' in error &&
    error.code === 'ERR_MODULE_NOT_FOUND' &&
    error.message.includes(`'${name}'`)
  );
}

/** The formats of user files, for options. */
export const USER_FILE_FORMATS: readonly UserFileFormat[] = ['htpasswd', 'passwd-file', 'shadow'];
