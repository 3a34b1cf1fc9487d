import { type Address, after, type Clock, isPromise, type MaybePromise, networkOf, systemClock } from '@postern/core';
import {
  type AvatarId,
  askChecker,
  type Checker,
  type Credentials,
  hasDisconnected,
  type Interface,
  LoginDenied,
  type Mind,
  TemporaryFailure,
  UnauthorizedLogin,
  UsernamePassword,
} from '@postern/cred';
import { type FailureCounts, InMemoryFailureCounts } from './failure-counts.ts';
import { hashedName } from './hashed-name.ts';
import { KeyedSemaphore } from './keyed-semaphore.ts';
import { LoginInTurn } from './login-in-turn.ts';
import { type LoginKeys, loginKeys } from './login-keys.ts';
import { ObservedMind } from './observed-mind.ts';
import { LIMIT_NAMES, type LimitName, type Limits, type ThrottleLimit, withDefaultLimits } from './throttle-limits.ts';
import { OwnMemory, type ThrottleMemory } from './throttle-memory.ts';
import { ThrottleReplica } from './throttle-replica.ts';

/** The limits of a throttle and the store of its counts. */
export interface ThrottleOptions {
  /**
   * The limit of one user from one network: an IPv4 address or an IPv6 /64. A success resets the
   * count. Default: 10 in 15 minutes.
   */
  readonly userAndNetwork?: ThrottleLimit;
  /** The limit of one network, for any user. Default: 50 in 15 minutes. */
  readonly network?: ThrottleLimit;
  /** The limit of one site, an IPv6 /48 with 65,536 networks. Default: 500 in 15 minutes. */
  readonly site?: ThrottleLimit;
  /**
   * The limit of one user from any network. High, because an attacker that reaches it locks the
   * user out. Default: 100 in 15 minutes.
   */
  readonly user?: ThrottleLimit;
  /**
   * Returns true for a peer with many users behind it, such as a webmail server. Its network is not
   * counted. The network of a UNIX socket is never counted. Default: no peer.
   */
  readonly trusted?: (remote: Address) => boolean;
  /**
   * The store of the counts; a `ThrottleReplica` counts together with other processes of this
   * machine. Default: in memory, for this throttle alone.
   */
  readonly counts?: FailureCounts;
  /** Measures the windows. Default: the system's clock. */
  readonly clock?: Clock;
}

/**
 * Returns the checker with limits against guessing. At a limit the login rejects with `LoginDenied`
 * for the reason `too-many`, and the checker is not asked.
 *
 * - Only refusals count. The same wrong password of one user from one network counts once.
 * - An exchange that the client breaks off before its proof counts for its networks. So does a
 *   login whose client disconnects after the first refusal of a cascade.
 * - Networks where the user has logged in before are exempt from the `user` limit.
 * - Anonymous logins, certificates and trusted logins pass uncounted.
 * - An error of the store is a `TemporaryFailure`.
 *
 * Put the throttle around a cascade and not inside: a refusal there ends the exchange.
 *
 * @example
 * ```ts
 * import { InMemoryUsernamePasswordDatabaseDontUse } from '@postern/cred';
 * import { withThrottle } from '@postern/throttle';
 *
 * const users = new InMemoryUsernamePasswordDatabaseDontUse({ joe: 's3cret' });
 * const checker = withThrottle(users, { user: { failures: 50, window: 60 * 60_000 } });
 * ```
 *
 * @throws RangeError if `failures` or `atOnce` of a limit is below 1, or a window is not positive.
 */
export function withThrottle<C extends Credentials>(checker: Checker<C>, options: ThrottleOptions = {}): Checker<C> {
  return new Throttle(checker, options);
}

class Throttle<C extends Credentials> implements Checker<C> {
  readonly #checker: Checker<C>;
  readonly #limits: Limits<Required<ThrottleLimit>>;
  readonly #trusted: ((remote: Address) => boolean) | undefined;
  readonly #memory: ThrottleMemory;
  readonly #counts: FailureCounts;
  readonly #semaphore = new KeyedSemaphore();
  /** The longest window in milliseconds: a guess is remembered for this time. */
  readonly #guessWindow: number;

  constructor(checker: Checker<C>, options: ThrottleOptions) {
    const { clock = systemClock, trusted, counts = new InMemoryFailureCounts({ clock }), ...limits } = options;
    this.#checker = checker;
    this.#trusted = trusted;
    this.#memory = counts instanceof ThrottleReplica ? counts : new OwnMemory(clock, counts);
    this.#counts = this.#memory.counts;
    this.#limits = withDefaultLimits(limits, this.#memory.workers);
    this.#guessWindow = Math.max(...Object.values(this.#limits).map(({ window }) => window));
  }

  get credentialInterfaces(): readonly Interface<C>[] {
    return this.#checker.credentialInterfaces;
  }

  requestAvatarId = (credentials: C, mind: Mind): MaybePromise<AvatarId> =>
    credentials.guessable ? this.#judge(credentials, mind) : askChecker(this.#checker, credentials, mind);

  /**
   * Judges a login. A login that nothing delays costs no promise and no permit: until the checker
   * has answered, no other login runs.
   */
  #judge(credentials: C, mind: Mind): MaybePromise<AvatarId> {
    const keys = this.#keysOf(credentials, mind);
    const observed = new ObservedMind(mind);
    if (credentials.proofState !== 'arrived' || hasDisconnected(mind) || !this.#isFree(keys)) {
      const login = new LoginInTurn(credentials, observed, keys, this.#semaphore.permit(mind));
      return this.#judgeInTurn(login, () => this.#admit(login));
    }
    const failures = this.#failuresOf(keys);
    if (!failures.every(isZero)) {
      const login = this.#hold(credentials, observed, keys);
      return this.#judgeInTurn(login, () => this.#checkLimits(login, failures));
    }
    const verdict = this.#ask(credentials, observed);
    if (isPromise(verdict)) return this.#judgeInTurn(this.#hold(credentials, observed, keys), undefined, verdict);
    this.#remember(keys);
    return verdict;
  }

  /**
   * Judges a login that keeps its permit until its failure is counted.
   *
   * @param admit Waits until the checker may be asked.
   * @param verdict The answer of the checker, if it has been asked.
   */
  async #judgeInTurn(
    login: LoginInTurn<C>,
    admit: (() => MaybePromise<void>) | undefined,
    verdict?: MaybePromise<AvatarId>,
  ): Promise<AvatarId> {
    const { credentials, mind, keys, permit } = login;
    try {
      const admitted = admit?.();
      if (isPromise(admitted)) await admitted;
      try {
        const avatarId = await (verdict ?? this.#ask(credentials, mind));
        this.#remember(keys);
        // With the other counts reset, an attacker with one account of its own could guess at other
        // accounts without limit.
        if (login.failures > 0 && keys.userAndNetwork !== undefined) await this.#counts.reset(keys.userAndNetwork);
        return avatarId;
      } catch (error) {
        await this.#countRefusal(login, error);
        throw error;
      } finally {
        if (credentials.proofState === 'asked') await this.#add(keys, UNFINISHED);
      }
    } finally {
      permit.release();
    }
  }

  /**
   * Checks the limits, and has them checked again when the proof arrives. The client of live
   * credentials may be slow, so a permit is taken only when its proof arrives.
   */
  #admit(login: LoginInTurn<C>): MaybePromise<void> {
    const { credentials, keys } = login;
    const proven = (): MaybePromise<void> =>
      after(this.#enter(login, 0), () => this.#checkLimits(login, this.#failuresOf(keys)));
    if (credentials.proofState === 'arrived') return credentials.onProof(proven);
    return after(this.#checkLimits(login, this.#failuresOf(keys)), () => credentials.onProof(proven));
  }

  /** Takes the keys of the limits from this index on, one after the other. */
  #enter(login: LoginInTurn<C>, index: number): MaybePromise<void> {
    const name = LIMIT_NAMES[index];
    if (name === undefined) return undefined;
    const key = login.keys[name];
    const entered = key === undefined ? undefined : login.permit.enter(key, this.#limits[name].atOnce);
    return isPromise(entered) ? entered.then(() => this.#enter(login, index + 1)) : this.#enter(login, index + 1);
  }

  /** Returns the login with its permit, which takes the keys at once. */
  #hold(credentials: C, mind: ObservedMind, keys: LoginKeys): LoginInTurn<C> {
    const permit = this.#semaphore.permit(mind);
    for (const name of LIMIT_NAMES) {
      const key = keys[name];
      if (key !== undefined) permit.hold(key);
    }
    return new LoginInTurn(credentials, mind, keys, permit);
  }

  #isFree(keys: LoginKeys): boolean {
    for (const name of LIMIT_NAMES) {
      const key = keys[name];
      if (key !== undefined && !this.#semaphore.isFree(key, this.#limits[name].atOnce)) return false;
    }
    return true;
  }

  /** Returns the checker's answer. An error is a rejected promise. */
  #ask(credentials: C, mind: Mind): MaybePromise<AvatarId> {
    try {
      return askChecker(this.#checker, credentials, mind);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Returns the failures under each key, in the order of the limits. */
  #failuresOf({ userAndNetwork, network, site, user }: LoginKeys): readonly MaybePromise<number>[] {
    return [
      this.#failuresUnder(userAndNetwork),
      this.#failuresUnder(network),
      this.#failuresUnder(site),
      this.#failuresUnder(user),
    ];
  }

  /** Returns 0 without a key. An error is a rejected promise, as from an asynchronous store. */
  #failuresUnder(key: string | undefined): MaybePromise<number> {
    if (key === undefined) return 0;
    try {
      return this.#counts.get(key);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Stores the count of user and network. Synchronous if the store is.
   *
   * @throws LoginDenied as a rejection if a count has reached its limit.
   */
  #checkLimits(login: LoginInTurn<C>, failures: readonly MaybePromise<number>[]): MaybePromise<void> {
    if (failures.every(isNumber)) return this.#checkCounts(login, failures);
    return Promise.all(failures.map(async (count) => count)).then((counts) => this.#checkCounts(login, counts));
  }

  #checkCounts(login: LoginInTurn<C>, counts: readonly number[]): MaybePromise<void> {
    const exceeded = LIMIT_NAMES.filter((name, index) => (counts[index] ?? 0) >= this.#limits[name].failures);
    if (exceeded.length > 0) return this.#deny(exceeded.map((name) => login.keys[name]));
    login.failures = counts[0] ?? 0;
  }

  async #deny(exceeded: readonly (string | undefined)[]): Promise<never> {
    throw await this.#denialFor(exceeded);
  }

  /** The client may try again when the last of the exceeded counts is forgotten. */
  async #denialFor(exceeded: readonly (string | undefined)[]): Promise<LoginDenied> {
    const remaining = await Promise.all(
      exceeded.map(async (key) => (key === undefined ? 0 : this.#counts.remaining?.(key))),
    );
    const retryAfter = Math.max(0, ...remaining.filter((time) => time !== undefined));
    return new LoginDenied('too-many', undefined, retryAfter > 0 ? { retryAfter } : {});
  }

  async #countRefusal({ credentials, mind, keys }: LoginInTurn<C>, error: unknown): Promise<void> {
    if (error instanceof UnauthorizedLogin) {
      await credentials.conclude();
      if (mind.hasAsked || this.#isNewGuess(credentials, keys)) await this.#add(keys, LIMIT_NAMES);
    }
    if (isRefusedInPart(error, mind)) await this.#add(keys, UNFINISHED);
  }

  async #add(keys: LoginKeys, names: readonly LimitName[]): Promise<void> {
    await Promise.all(
      names.map(async (name) => {
        const key = keys[name];
        if (key !== undefined) await this.#counts.add(key, this.#limits[name].window);
      }),
    );
  }

  /** A repeated guess does not count: a forgotten client with an old password locks no user out. */
  #isNewGuess(credentials: C, { clientNetwork = '' }: LoginKeys): boolean {
    if (!(credentials instanceof UsernamePassword)) return true;
    const { username, password } = credentials;
    return this.#memory.isNewGuess([username, clientNetwork, password], this.#guessWindow);
  }

  #remember({ hashedName, clientNetwork }: LoginKeys): void {
    if (hashedName !== undefined && clientNetwork !== undefined) this.#memory.addLogin(hashedName, clientNetwork);
  }

  #keysOf({ username }: C, { remote }: Mind): LoginKeys {
    const name = username === undefined ? undefined : hashedName(username);
    const network = this.#trusted?.(remote) ? undefined : networkOf(remote);
    const isKnown = name !== undefined && network !== undefined && this.#memory.hasLoggedIn(name, network);
    return loginKeys(name, network, isKnown);
  }
}

function isNumber(count: unknown): count is number {
  return typeof count === 'number';
}

function isZero(count: unknown): boolean {
  return count === 0;
}

/** Returns true if a cascade has refused the client, and the client left before its last member. */
function isRefusedInPart(error: unknown, mind: Mind): boolean {
  return error instanceof TemporaryFailure && error.cause instanceof UnauthorizedLogin && mind.signal.aborted;
}

/**
 * The limits that a client reaches by exchanges without a proof: those of its networks and never
 * those of the user, because the client has guessed nothing.
 */
const UNFINISHED: readonly LimitName[] = ['network', 'site'];
