import {
  defaultPolicy,
  hashPassword,
  isUserDatabase,
  parseSecret,
  type SecretOptions,
  type UserDatabase,
} from '@postern/users';
import { databaseExists } from '../default-database.ts';
import { CommandError, UsageError } from '../errors.ts';
import { parseSpec } from '../option-values.ts';
import { loadCrypt, type OpenUserStore, type UserStoreSpec, userStoreSpecs } from '../user-store-spec.ts';
import { openHashQueue, policyOf, usersError } from '../users-options.ts';
import type { ReadableUsers, UserContext } from './user-context.ts';
import type { UserSettings } from './user-settings.ts';

/** The parts of a context that belong to the process. */
export type ProcessParts = Pick<UserContext, 'terminal' | 'print' | 'warn' | 'showsProgress'>;

/** The options of {@link openContext}. */
export interface ContextOptions {
  /** What becomes of a database that does not exist. */
  readonly creates: 'file' | 'in memory' | 'nothing';
  readonly parts: ProcessParts;
}

/**
 * Returns the parts that one command works with.
 *
 * @throws UsageError for options of `users` that are out of range.
 */
export async function openContext(
  { database: source, users }: UserSettings,
  { creates, parts }: ContextOptions,
): Promise<UserContext & AsyncDisposable> {
  const policy = { ...defaultPolicy, ...policyOf(users) };
  const crypt = await loadCrypt();
  // The command shows which schemes there are. The server decides which ones it accepts.
  const options = { crypt, allowWeak: true };
  const queue = await openHashQueue(users);
  let opened: Promise<OpenUserStore> | undefined;
  const open = () => {
    opened ??= openStore(source, creates, options);
    return opened;
  };
  return {
    ...parts,
    open: async () => expectDatabase(source, await open()),
    openToRead: async () => expectList(source, await open()),
    databaseName: source.name,
    crypt,
    parseSecret: (text) => parseSecret(text, options),
    allowsWeak: users.allowWeak === true,
    hashPassword: (password) =>
      hashPassword(password, { queue, policy }).catch((error: unknown) => {
        throw usersError(error);
      }),
    async [Symbol.asyncDispose]() {
      await (await opened?.catch(() => undefined))?.[Symbol.asyncDispose]?.();
      await queue.close();
    },
  };
}

async function openStore(
  source: UserStoreSpec,
  creates: ContextOptions['creates'],
  options: SecretOptions,
): Promise<OpenUserStore> {
  const exists = databaseExists(source);
  if (creates === 'nothing' && !exists) {
    const hint = 'postern user add NAME creates it, and --db names another';
    throw new CommandError(`there is no database ${source.name}: ${hint}`);
  }
  const parts = { ...options, onError: () => {} };
  const empty = parseSpec(userStoreSpecs, 'sqlite::memory:');
  return await (creates === 'in memory' && !exists ? empty : source).open(parts);
}

function expectDatabase({ name }: UserStoreSpec, store: OpenUserStore): UserDatabase {
  if (isUserDatabase(store)) return store;
  throw new UsageError(
    `${name} is read-only: edit the file itself, or expected --db sqlite:PATH or --db postgres:URL ` +
      '(postern user import takes the file)',
  );
}

function expectList({ name }: UserStoreSpec, store: OpenUserStore): ReadableUsers {
  if (hasList(store)) return store;
  throw new UsageError(`${name} cannot list its users: expected --db with sqlite:PATH, file:PATH or postgres:URL`);
}

/** Returns true if the store lists its users. A file does, although it cannot be edited here. */
function hasList(store: OpenUserStore): store is OpenUserStore & ReadableUsers {
  return store.list !== undefined;
}
