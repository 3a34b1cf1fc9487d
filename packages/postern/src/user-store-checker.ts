import {
  type AnyChecker,
  type AvatarId,
  type Checker,
  type Interface,
  isDerived,
  LoginError,
  type Mind,
  type PasswordProof,
  TemporaryFailure,
  type TrustedLogin,
  type UserDirectory,
} from '@postern/cred';
import { ScramCredentials } from '@postern/sasl';
import type { UserChecker, UserCheckerOptions, UserStore } from '@postern/users';
import { databaseExists } from './default-database.ts';
import { StartError } from './errors.ts';
import type { OpenUserStore, UserStoreSpec } from './user-store-spec.ts';
import type { UsersOptions } from './users-options.ts';

/** The parts that the checkers of all user stores of a process share. */
export interface UserCheckerParts {
  /** The options of every checker: the queue of hashes, and today's parameters. */
  readonly options: Omit<UserCheckerOptions, 'onError'>;
  /** Undefined for no cache. */
  readonly cache: UsersOptions['cache'];
  /** Writes a fault of a store, or of a stored secret, into the log. */
  readonly logError: (store: string, error: unknown) => void;
}

/**
 * The checker of a user store that opens when the server starts. Until then it judges no
 * credentials. The store closes with the checker.
 */
export class UserStoreChecker implements Checker<PasswordProof>, UserDirectory, AsyncDisposable {
  /** The spec of the store for messages, without secrets. */
  readonly name: string;
  /** True if SIGHUP reads the store again. */
  readonly readsFiles: boolean;
  /** True if the store keeps SCRAM's server key. */
  readonly keepsScramKey: boolean;
  readonly #spec: UserStoreSpec;
  #opened: OpenChecker | undefined;
  #withoutScram: ReturnType<typeof withoutScram> | undefined;

  constructor(spec: UserStoreSpec) {
    this.name = spec.name;
    this.keepsScramKey = spec.keepsScramKey;
    this.readsFiles = spec.readsFiles;
    this.#spec = spec;
  }

  /**
   * Opens the store.
   *
   * @throws StartError also for a database that does not exist. With a misspelt path, a new
   * database would refuse each user, and mail clients would ask for other passwords.
   */
  async open({ options, cache, logError }: UserCheckerParts): Promise<void> {
    if (!databaseExists(this.#spec)) {
      throw new StartError(
        `${this.name}: there is no such database; \`postern user add NAME --db ${this.name}\` creates it`,
      );
    }
    const { cachedStore, UserChecker } = await import('@postern/users');
    const onError = (error: unknown) => logError(this.name, error);
    const store = await this.#spec.open({ crypt: options.crypt, allowWeak: options.allowWeak, onError });
    const checker = new UserChecker(cache === undefined ? store : cachedStore(store, cache), { ...options, onError });
    this.#opened = { store, checker };
  }

  get credentialInterfaces(): readonly Interface<PasswordProof>[] {
    const judged = this.#opened?.checker.credentialInterfaces ?? NO_INTERFACES;
    return this.#withoutScram?.(judged) ?? judged;
  }

  /** The store, once it is open. */
  get store(): UserStore | undefined {
    return this.#opened?.store;
  }

  /** True if {@link withholdScram} keeps users from SCRAM for which each of them has a secret. */
  get withholdsScram(): boolean {
    return this.credentialInterfaces !== (this.#opened?.checker.credentialInterfaces ?? NO_INTERFACES);
  }

  /**
   * Judges no SCRAM from now on. Without a lasting server key its salts would change at a restart,
   * and reveal which users exist.
   */
  withholdScram(): void {
    this.#withoutScram = withoutScram();
  }

  // Properties: a checker that wraps this one may take them off.
  readonly requestAvatarId = (credentials: PasswordProof, mind: Mind): Promise<AvatarId> =>
    this.#expectOpen()
      .checker.requestAvatarId(credentials, mind)
      .catch((error: unknown) => {
        throw mind.signal.aborted ? error : this.#named(error);
      });

  readonly hasUser = (username: string): Promise<boolean> =>
    this.#expectOpen()
      .checker.hasUser(username)
      .catch((error: unknown) => {
        throw this.#named(error);
      });

  /**
   * Returns the name of a user that a trusted peer has logged in. Returns undefined if the store has
   * no such user.
   *
   * @throws LoginDenied if the account is closed.
   */
  async recognise(credentials: TrustedLogin, mind: Mind): Promise<string | undefined> {
    try {
      return await this.#expectOpen().checker.recognise(credentials, mind);
    } catch (error) {
      throw mind.signal.aborted ? error : this.#named(error);
    }
  }

  /** Reads the files of the store again. */
  async reload(): Promise<void> {
    await this.#opened?.store.reload?.();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const opened = this.#opened;
    this.#opened = undefined;
    // Work in the background may still write into the store.
    await opened?.checker[Symbol.asyncDispose]();
    await opened?.store[Symbol.asyncDispose]?.();
  }

  /** Returns a failure of the store with its name. Any other error is about the user. */
  #named(cause: unknown): unknown {
    if (cause instanceof LoginError && !(cause instanceof TemporaryFailure)) return cause;
    const culprit = cause instanceof TemporaryFailure ? cause.culprit : 'operator';
    return new TemporaryFailure(`the user store ${this.name} failed`, { cause, culprit });
  }

  #expectOpen(): OpenChecker {
    if (this.#opened === undefined) throw new Error(`${this.name} is not open`);
    return this.#opened;
  }
}

/** Returns the checkers of user stores, in their order. */
export function storeCheckersOf(checkers: readonly AnyChecker[]): readonly UserStoreChecker[] {
  return checkers.filter((checker) => checker instanceof UserStoreChecker);
}

interface OpenChecker {
  readonly store: OpenUserStore;
  readonly checker: UserChecker;
}

/**
 * Returns a filter that leaves stored SCRAM secrets out. It returns the same array for the same
 * array, and a list without SCRAM as it is.
 */
function withoutScram(): (judged: readonly Interface<PasswordProof>[]) => readonly Interface<PasswordProof>[] {
  let [from, to] = [NO_INTERFACES, NO_INTERFACES];
  return (judged) => {
    if (judged === from) return to;
    const kept = judged.filter((candidate) => !isDerived(candidate, ScramCredentials));
    [from, to] = [judged, kept.length === judged.length ? judged : kept];
    return to;
  };
}

const NO_INTERFACES: readonly Interface<PasswordProof>[] = [];
