import { hash } from 'node:crypto';
import { type Address, type Clock, type MaybePromise, networkOf, siteOf, systemClock } from '@postern/core';
import {
  type AvatarId,
  askChecker,
  type Checker,
  type Credentials,
  type Interface,
  LoginDenied,
  type Mind,
  TemporaryFailure,
  UnauthorizedLogin,
  UsernamePassword,
} from '@postern/cred';
import { type FailureCounts, InMemoryFailureCounts } from './failure-counts.ts';
import { KeyedSemaphore } from './keyed-semaphore.ts';
import { KnownNetworks } from './known-networks.ts';
import { ObservedMind } from './observed-mind.ts';
import { RecentGuesses } from './recent-guesses.ts';

/** One limit of a throttle. */
export interface ThrottleLimit {
  /** The number of failures within the window after which the checker is not asked any more. */
  readonly failures: number;
  /** The length of the window in milliseconds, counted from the first failure. */
  readonly window: number;
  /**
   * The number of logins that may wait for the verdict at the same time; further logins wait. It
   * bounds parallel guessing. Default: a quarter of `failures`.
   */
  readonly atOnce?: number;
}

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
  /** The store of the counts. Default: in memory, for this throttle alone. */
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
  readonly #limits: Limits;
  readonly #trusted: (remote: Address) => boolean;
  readonly #counts: FailureCounts;
  readonly #semaphore = new KeyedSemaphore();
  readonly #known = new KnownNetworks();
  readonly #guesses: RecentGuesses;

  constructor(checker: Checker<C>, { clock = systemClock, trusted = () => false, counts, ...limits }: ThrottleOptions) {
    this.#checker = checker;
    this.#limits = limitsOf(limits);
    this.#trusted = trusted;
    this.#counts = counts ?? new InMemoryFailureCounts({ clock });
    const windows = Object.values(this.#limits).map(({ window }) => window);
    this.#guesses = new RecentGuesses(clock, Math.max(...windows));
  }

  get credentialInterfaces(): readonly Interface<C>[] {
    return this.#checker.credentialInterfaces;
  }

  requestAvatarId = (credentials: C, mind: Mind): MaybePromise<AvatarId> =>
    credentials.guessable ? this.#judge(credentials, mind) : askChecker(this.#checker, credentials, mind);

  async #judge(credentials: C, mind: Mind): Promise<AvatarId> {
    const counters = this.#countersOf(credentials, mind);
    using permit = this.#semaphore.permit(mind.signal);
    let failures: readonly number[] = [];
    const admit = async (): Promise<void> => {
      for (const { key, limit } of counters) {
        await permit.enter(key, limit.atOnce ?? Math.ceil(limit.failures / 4));
      }
      failures = await this.#checkLimits(counters);
    };
    // The client of live credentials may be slow, so a permit is taken only when its proof arrives.
    if (credentials.proofState !== 'arrived') await this.#checkLimits(counters);
    await credentials.onProof(admit);
    const observed = new ObservedMind(mind);
    try {
      const avatarId = await askChecker(this.#checker, credentials, observed);
      await this.#onSuccess(credentials, mind, failures[0] === 0 ? undefined : counters[0]);
      return avatarId;
    } catch (error) {
      if (error instanceof UnauthorizedLogin) {
        await credentials.conclude();
        if (observed.hasAsked || this.#isNewGuess(credentials, mind)) await this.#add(counters);
      }
      if (isRefusedInPart(error, mind)) await this.#countUnfinished(counters);
      throw error;
    } finally {
      if (credentials.proofState === 'asked') await this.#countUnfinished(counters);
    }
  }

  /** Resolves with the failures of each counter, or throws if one has reached its limit. */
  async #checkLimits(counters: readonly Counter[]): Promise<readonly number[]> {
    const failures = await Promise.all(counters.map(async ({ key }) => this.#counts.get(key)));
    const exceeded = counters.filter(({ limit }, n) => (failures[n] ?? 0) >= limit.failures);
    if (exceeded.length > 0) throw await this.#denialFor(exceeded);
    return failures;
  }

  /** The client may try again when the last of the exceeded counters is forgotten. */
  async #denialFor(exceeded: readonly Counter[]): Promise<LoginDenied> {
    const remaining = await Promise.all(exceeded.map(async ({ key }) => this.#counts.remaining?.(key)));
    const retryAfter = Math.max(0, ...remaining.filter((time) => time !== undefined));
    return new LoginDenied('too-many', undefined, retryAfter > 0 ? { retryAfter } : {});
  }

  /**
   * Resets one counter alone. With the others reset, an attacker with one account of its own could
   * guess at other accounts without limit.
   */
  async #onSuccess({ username }: C, mind: Mind, counter: Counter | undefined): Promise<void> {
    const network = this.#networkOf(mind);
    if (username !== undefined && network !== undefined) {
      this.#known.add(hashedName(username), network);
    }
    if (counter?.kind === 'userAndNetwork') await this.#counts.reset(counter.key);
  }

  /** Returns the narrowest counter first: a login that waits there holds no wider key. */
  #countersOf(credentials: Credentials, mind: Mind): Counter[] {
    const { userAndNetwork, network, site, user } = this.#limits;
    const itsNetwork = this.#networkOf(mind);
    const name = credentials.username === undefined ? undefined : hashedName(credentials.username);
    const counters: Counter[] = [];
    const add = (kind: Counter['kind'], subject: string, limit: ThrottleLimit): void => {
      counters.push({ kind, key: `${KEY_PREFIXES[kind]}:${subject}`, limit });
    };
    if (name !== undefined && itsNetwork !== undefined) {
      add('userAndNetwork', `${name}:${itsNetwork}`, userAndNetwork);
    }
    if (itsNetwork !== undefined) add('network', itsNetwork, network);
    const itsSite = itsNetwork && siteOf(itsNetwork);
    if (itsSite !== undefined) add('site', itsSite, site);
    // Guesses from other networks must not lock the user out of a network of earlier logins.
    const isKnown = name !== undefined && itsNetwork !== undefined && this.#known.has(name, itsNetwork);
    if (name !== undefined && !isKnown) add('user', name, user);
    return counters;
  }

  #networkOf(mind: Mind): string | undefined {
    return this.#trusted(mind.remote) ? undefined : networkOf(mind.remote);
  }

  /**
   * Counts the networks and never the user: a client that disconnects before its proof has guessed
   * nothing.
   */
  async #countUnfinished(counters: readonly Counter[]): Promise<void> {
    await this.#add(counters.filter(({ kind }) => kind === 'network' || kind === 'site'));
  }

  async #add(counters: readonly Counter[]): Promise<void> {
    await Promise.all(counters.map(async ({ key, limit }) => this.#counts.add(key, limit.window)));
  }

  /** A repeated guess does not count: a forgotten client with an old password locks no user out. */
  #isNewGuess(credentials: Credentials, mind: Mind): boolean {
    if (!(credentials instanceof UsernamePassword)) return true;
    const { username, password } = credentials;
    return this.#guesses.add(username, this.#networkOf(mind) ?? '', password);
  }
}

/** Returns true if a cascade has refused the client, and the client left before its last member. */
function isRefusedInPart(error: unknown, { signal }: Mind): boolean {
  return signal.aborted && error instanceof TemporaryFailure && error.cause instanceof UnauthorizedLogin;
}

interface Counter {
  readonly kind: keyof Limits;
  readonly key: string;
  readonly limit: ThrottleLimit;
}

/**
 * Returns one text for all spellings of a user name that some database may take for the same user:
 * there are databases in which `JOSE ` finds `josé`. Hashed, because the name may be long or a
 * password in the wrong field, and because the store of counts must not reveal names.
 */
function hashedName(username: string): string {
  // Lower case first: the upper case of "ß" is "SS", and that of U+1E9E, its capital, is itself.
  const folded = username.normalize('NFKD').replace(IGNORED_CHARACTERS, '').toLowerCase().toUpperCase();
  return hash('sha256', folded, 'base64url');
}

function limitsOf(given: { readonly [L in keyof Limits]?: ThrottleLimit }): Limits {
  const limits = { ...DEFAULT_LIMITS };
  for (const name of Object.keys(DEFAULT_LIMITS) as (keyof Limits)[]) {
    const limit = given[name] ?? DEFAULT_LIMITS[name];
    const { failures, window, atOnce = 1 } = limit;
    if (!(failures >= 1 && window > 0 && atOnce >= 1)) {
      throw new RangeError(`${name}: expected failures and atOnce of 1 or more, and a window above 0 milliseconds`);
    }
    limits[name] = limit;
  }
  return limits;
}

type Limits = Record<'userAndNetwork' | 'network' | 'site' | 'user', ThrottleLimit>;

const KEY_PREFIXES: Readonly<Record<keyof Limits, string>> = {
  userAndNetwork: 'user+network',
  network: 'network',
  site: 'site',
  user: 'user',
};

const WINDOW_MS = 15 * 60_000;

const DEFAULT_LIMITS: Readonly<Limits> = {
  userAndNetwork: { failures: 10, window: WINDOW_MS },
  network: { failures: 50, window: WINDOW_MS },
  site: { failures: 500, window: WINDOW_MS },
  user: { failures: 100, window: WINDOW_MS },
};

/**
 * Accents, white space and characters without a glyph. SASLprep also removes U+1806, which Unicode
 * counts as a hyphen (RFC 3454, table B.1).
 */
const IGNORED_CHARACTERS = /[\p{M}\p{Default_Ignorable_Code_Point}\s\u1806]/gu;
