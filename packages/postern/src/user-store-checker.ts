import { setTimeout } from 'node:timers/promises';
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
  UsernamePassword,
} from '@postern/cred';
import { ScramCredentials } from '@postern/sasl';
import type { UserChecker, UserCheckerOptions, UserStore } from '@postern/users';
import { databaseExists } from './default-database.ts';
import { messageOf, StartError } from './errors.ts';
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
  /** True while a server runs without its store, which is down. */
  #isDown = false;
  readonly #closing = new AbortController();
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
    this.#isDown = false;
    // The checker may have been closed during the opening.
    if (this.#closing.signal.aborted) await this[Symbol.asyncDispose]();
  }

  /**
   * Opens the store, and lets the server start without it if the store is down: it fails
   * temporarily, or has not opened after `timeout` milliseconds. Until the store opens, the checker
   * accepts user names with passwords, and each login fails temporarily.
   *
   * @throws StartError for a store that cannot be used at all.
   */
  async openOrRetry(parts: UserCheckerParts, { timeout, retryDelay }: RetryOptions = RETRY_OPTIONS): Promise<void> {
    const opening = this.open(parts);
    const late = new TemporaryFailure(`not open after ${timeout} ms`, { culprit: 'operator' });
    const timer = new AbortController();
    const isLate = setTimeout(timeout, late, { signal: timer.signal }).catch(() => late);
    const failure = await Promise.race([
      opening.then(
        () => undefined,
        (error: unknown) => error,
      ),
      isLate,
    ]);
    timer.abort();
    if (failure === undefined) return;
    if (failure !== late && !isTemporary(failure)) throw failure;
    parts.logError(this.name, failure);
    this.#isDown = true;
    void this.#retry(opening, failure === late ? '' : messageOf(failure), parts, retryDelay);
  }

  /** Opens the store until that succeeds, and logs each new reason why it fails. */
  async #retry(opening: Promise<void>, logged: string, parts: UserCheckerParts, delay: number): Promise<void> {
    const { signal } = this.#closing;
    let reason = logged;
    for (let attempt = opening; !signal.aborted; attempt = this.open(parts)) {
      try {
        await attempt;
        return;
      } catch (error) {
        if (messageOf(error) !== reason) parts.logError(this.name, error);
        reason = messageOf(error);
      }
      await setTimeout(delay, undefined, { signal, ref: false }).catch(() => {});
    }
  }

  get credentialInterfaces(): readonly Interface<PasswordProof>[] {
    const judged = this.#judged;
    return this.#withoutScram?.(judged) ?? judged;
  }

  get #judged(): readonly Interface<PasswordProof>[] {
    return this.#opened?.checker.credentialInterfaces ?? (this.#isDown ? PASSWORDS_ONLY : NO_INTERFACES);
  }

  /** The store, once it is open. */
  get store(): UserStore | undefined {
    return this.#opened?.store;
  }

  /** True if {@link withholdScram} keeps users from SCRAM for which each of them has a secret. */
  get withholdsScram(): boolean {
    return this.credentialInterfaces !== this.#judged;
  }

  /**
   * Judges no SCRAM from now on. Without a lasting server key its salts would change at a restart,
   * and reveal which users exist.
   */
  withholdScram(): void {
    this.#withoutScram = withoutScram();
  }

  // Properties: a checker that wraps this one may take them off.
  readonly requestAvatarId = (credentials: PasswordProof, mind: Mind): Promise<AvatarId> => {
    if (this.#opened === undefined) return Promise.reject(this.#notOpen());
    return this.#opened.checker.requestAvatarId(credentials, mind).catch((error: unknown) => {
      throw mind.signal.aborted ? error : this.#named(error);
    });
  };

  readonly hasUser = (username: string): Promise<boolean> => {
    if (this.#opened === undefined) return Promise.reject(this.#notOpen());
    return this.#opened.checker.hasUser(username).catch((error: unknown) => {
      throw this.#named(error);
    });
  };

  /**
   * Returns the name of a user that a trusted peer has logged in. Returns undefined if the store
   * has no such user.
   *
   * @throws LoginDenied if the account is closed.
   */
  async recognise(credentials: TrustedLogin, mind: Mind): Promise<string | undefined> {
    if (this.#opened === undefined) throw this.#notOpen();
    try {
      return await this.#opened.checker.recognise(credentials, mind);
    } catch (error) {
      throw mind.signal.aborted ? error : this.#named(error);
    }
  }

  /** Reads the files of the store again. */
  async reload(): Promise<void> {
    await this.#opened?.store.reload?.();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
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

  #notOpen(): Error {
    if (!this.#isDown) return new Error(`${this.name} is not open`);
    return new TemporaryFailure(`the user store ${this.name} is not open yet`, { culprit: 'operator' });
  }
}

/** Returns the checkers of user stores, in their order. */
export function storeCheckersOf(checkers: readonly AnyChecker[]): readonly UserStoreChecker[] {
  return checkers.filter((checker) => checker instanceof UserStoreChecker);
}

/** The times of {@link UserStoreChecker.openOrRetry} in milliseconds. */
export interface RetryOptions {
  readonly timeout: number;
  /** The time between an attempt that failed and the next one. */
  readonly retryDelay: number;
}

function isTemporary(error: unknown): boolean {
  return error instanceof Error && error.cause instanceof TemporaryFailure;
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

/** Postfix gives a client up after 10 seconds without a greeting. */
const RETRY_OPTIONS: RetryOptions = { timeout: 3_000, retryDelay: 2_000 };
const PASSWORDS_ONLY: readonly Interface<PasswordProof>[] = [UsernamePassword];
const NO_INTERFACES: readonly Interface<PasswordProof>[] = [];
