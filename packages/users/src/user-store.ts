import { type Interface, type MaybePromise, type PasswordProof, UsernamePassword } from '@postern/cred';
import type { UserRecord } from './user-record.ts';

/**
 * A user database, as a checker reads it. Only `find` is required: one query by name.
 *
 * A store finds a user by the canonical name: see {@link canonicalName}. It returns the name as it
 * is stored, which becomes the avatar id.
 */
export interface UserStore {
  /**
   * Returns the user of this name, or undefined for an unknown name. A checker passes the
   * canonical name. An error is a temporary failure: the client may try again. `signal` aborts when
   * the result is not needed any more.
   */
  readonly find: (name: string, signal: AbortSignal) => MaybePromise<UserRecord | undefined>;

  /**
   * The classes of credentials for which every enabled user has a secret. A server offers the
   * mechanisms of these classes. The array may change over time, for example after an import; while
   * it is the same, the store returns the same array. Default: `UsernamePassword`, for hashes.
   */
  readonly credentialInterfaces?: readonly Interface<PasswordProof>[];

  /**
   * Changes a user in one step that no other change interrupts: it calls `change` with the stored
   * record and stores the result. If `change` returns undefined, the user stays as it is. A checker
   * stores new hashes, the last step of a one-time code and the last use of an application password
   * with it. Default: the store is read-only.
   *
   * @throws UnknownUser if there is no user of this name.
   */
  readonly update?: (name: string, change: (user: UserRecord) => UserRecord | undefined) => MaybePromise<void>;

  /**
   * Returns false for a user that `update` cannot change, because the store stands for several and
   * the user's is read-only. Default: `update` can change all users.
   */
  readonly canUpdate?: (name: string) => boolean;

  /**
   * Returns all users, each once, without loading all at once. A checker reads the first thousand
   * once, so that a login of an unknown user looks like one of theirs. Default: the store cannot
   * list its users.
   */
  readonly list?: () => AsyncIterable<UserRecord>;

  /**
   * The server key of SCRAM, for the `key` of `scram()`: 32 random bytes that the database keeps
   * beside its users, so that all servers share them. Default: the operator keeps the key.
   */
  readonly scramKey?: Uint8Array | undefined;
}

/**
 * Returns the classes of credentials that a store serves. A store that names none has hashes. The
 * same array stands for the same classes.
 */
export function interfacesOfStore({ credentialInterfaces }: UserStore): readonly Interface<PasswordProof>[] {
  return credentialInterfaces ?? HASHES_ONLY;
}

/** Returns true if `update` of the store can change the user. */
export function isUpdatable(store: UserStore, name: string): boolean {
  return store.update !== undefined && (store.canUpdate?.(name) ?? true);
}

/**
 * A user store that an operator can edit: the command `postern user` works with it. Its methods
 * take each spelling of a name.
 */
export interface UserDatabase extends UserStore, AsyncDisposable {
  readonly update: (name: string, change: (user: UserRecord) => UserRecord | undefined) => Promise<void>;

  /**
   * Adds a user. The promise resolves when the user is stored and survives a crash.
   *
   * @throws UserExists if a user has this canonical name already.
   */
  readonly add: (user: UserRecord) => Promise<void>;

  /**
   * Adds many users, in transactions of its own size. Resolves to the names that exist already and
   * were left as they are. `onProgress` receives the number of users that are stored so far.
   */
  readonly addAll: (
    users: Iterable<UserRecord> | AsyncIterable<UserRecord>,
    onProgress?: (stored: number) => void,
  ) => Promise<readonly string[]>;

  /**
   * Removes a user.
   *
   * @throws UnknownUser if there is no user of this name.
   */
  readonly remove: (name: string) => Promise<void>;

  /** Returns all users in the order of their canonical names, without loading all at once. */
  readonly list: () => AsyncIterable<UserRecord>;
}

/** Returns true if the store is a {@link UserDatabase}, which an operator can edit. */
export function isUserDatabase(store: UserStore): store is UserDatabase {
  return 'add' in store && 'list' in store && 'remove' in store;
}

const HASHES_ONLY: readonly Interface<PasswordProof>[] = Object.freeze([UsernamePassword]);
