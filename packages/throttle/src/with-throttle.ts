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
  UnauthorizedLogin,
  UsernamePassword,
} from '@postern/cred';
import { type FailureCounts, InMemoryFailureCounts } from './failure-counts.ts';
import { KeyedSemaphore } from './keyed-semaphore.ts';
import { KnownNetworks } from './known-networks.ts';
import { RecentGuesses } from './recent-guesses.ts';

/** How much failing is too much. */
export interface ThrottleLimit {
  /** After so many failures within a window the checker is not asked any more, until the window has passed. */
  readonly failures: number;
  /** How long failures count, in milliseconds from the first of them. */
  readonly window: number;
  /** How many logins may be under way at once while others wait: the bound on parallel guessing. Default: a quarter of `failures`. */
  readonly atOnce?: number;
}

/** What is counted, up to where, and where. */
export interface ThrottleOptions {
  /** For one user from one network, an IPv4 address or an IPv6 /64. Forgotten after a success. Default: 10 in 15 minutes. */
  readonly userAndNetwork?: ThrottleLimit;
  /** For one network, whoever is tried. Default: 50 in 15 minutes. */
  readonly network?: ThrottleLimit;
  /** For one site, an IPv6 /48, which has 65,536 networks. IPv4 has none. Default: 500 in 15 minutes. */
  readonly site?: ThrottleLimit;
  /** For one user, from wherever: high, since who reaches it locks the user out. Default: 100 in 15 minutes. */
  readonly user?: ThrottleLimit;
  /** Peers that many users come through, such as a webmail server: their network is not counted. UNIX sockets never are. */
  readonly trusted?: (remote: Address) => boolean;
  /** Where failures are counted. By default in memory, for this throttle alone. */
  readonly counts?: FailureCounts;
  readonly clock?: Clock;
}

/**
 * Guards a checker against guessing: after too many failures the answer is LoginDenied `too-many`, and the
 * checker is not asked. Only refusals count, and the same wrong password for the same user from the same
 * network counts once. An exchange that the client breaks off before its proof counts for its networks.
 * From networks where a user has logged in before, guesses of others are no obstacle to that user. Guests,
 * certificates and trusted logins pass. A broken store is a TemporaryFailure. Put the throttle around a
 * cascade, not inside: a refusal there ends the exchange.
 */
export function withThrottle<C extends Credentials>(checker: Checker<C>, options: ThrottleOptions = {}): Checker<C> {
  return new Throttle(checker, options);
}

class Throttle<C extends Credentials> implements Checker<C> {
  readonly credentialInterfaces: readonly Interface<C>[];
  readonly #checker: Checker<C>;
  readonly #limits: Limits;
  readonly #trusted: (remote: Address) => boolean;
  readonly #counts: FailureCounts;
  readonly #turnstile = new KeyedSemaphore();
  readonly #known = new KnownNetworks();
  readonly #guesses: RecentGuesses;

  constructor(checker: Checker<C>, { clock = systemClock, trusted = () => false, counts, ...limits }: ThrottleOptions) {
    this.credentialInterfaces = checker.credentialInterfaces;
    this.#checker = checker;
    this.#limits = limitsOf(limits);
    this.#trusted = trusted;
    this.#counts = counts ?? new InMemoryFailureCounts({ clock });
    this.#guesses = new RecentGuesses(clock, Math.max(...Object.values(this.#limits).map(({ window }) => window)));
  }

  requestAvatarId = (credentials: C, mind: Mind): MaybePromise<AvatarId> =>
    credentials.guessable ? this.#judge(credentials, mind) : askChecker(this.#checker, credentials, mind);

  async #judge(credentials: C, mind: Mind): Promise<AvatarId> {
    const counters = this.#countersOf(credentials, mind);
    using inside = this.#turnstile.visit(mind.signal);
    let failures: readonly number[] = [];
    const admit = async (): Promise<void> => {
      for (const { key, limit } of counters) await inside.enter(key, limit.atOnce ?? Math.ceil(limit.failures / 4));
      failures = await this.#expectRoom(counters);
    };
    // Live credentials may wait for their client for long, so they get a permit only with their proof.
    if (credentials.proofState !== 'arrived') await this.#expectRoom(counters);
    await credentials.onProof(admit);
    try {
      const avatarId = await askChecker(this.#checker, credentials, mind);
      await this.#welcome(credentials, mind, failures[0] === 0 ? undefined : counters[0]);
      return avatarId;
    } catch (error) {
      if (error instanceof UnauthorizedLogin) {
        await credentials.conclude();
        await this.#count(counters, credentials, mind);
      }
      throw error;
    } finally {
      if (credentials.proofState === 'asked') await this.#countUnfinished(counters);
    }
  }

  /** The client may try again when the last of the counters that it has exceeded is forgotten. */
  async #denial(exceeded: readonly Counter[]): Promise<LoginDenied> {
    const remaining = await Promise.all(exceeded.map(async ({ key }) => this.#counts.remaining?.(key)));
    const retryAfter = Math.max(0, ...remaining.filter((milliseconds) => milliseconds !== undefined));
    return new LoginDenied('too-many', undefined, retryAfter > 0 ? { retryAfter } : {});
  }

  /** Resolves to the failures of each counter. */
  async #expectRoom(counters: readonly Counter[]): Promise<readonly number[]> {
    const failures = await Promise.all(counters.map(async ({ key }) => this.#counts.get(key)));
    const exceeded = counters.filter(({ limit }, n) => (failures[n] ?? 0) >= limit.failures);
    if (exceeded.length > 0) throw await this.#denial(exceeded);
    return failures;
  }

  /** The user's other counters stay, or one own account would buy an attacker any number of guesses at others. */
  async #welcome({ username }: C, mind: Mind, counter: Counter | undefined): Promise<void> {
    const network = this.#networkOf(mind);
    if (username !== undefined && network !== undefined) this.#known.add(nameOf(username), network);
    if (counter?.kind === 'userAndNetwork') await this.#counts.reset(counter.key);
  }

  /** The most particular first: who waits for that one keeps nobody else waiting. */
  #countersOf(credentials: Credentials, mind: Mind): Counter[] {
    const { userAndNetwork, network, site, user } = this.#limits;
    const theirNetwork = this.#networkOf(mind);
    const name = credentials.username === undefined ? undefined : nameOf(credentials.username);
    const counters: Counter[] = [];
    const add = (kind: Counter['kind'], of: string, limit: ThrottleLimit): void => {
      counters.push({ kind, key: `${KEY_PREFIXES[kind]}:${of}`, limit });
    };
    if (name !== undefined && theirNetwork !== undefined) {
      add('userAndNetwork', `${name}:${theirNetwork}`, userAndNetwork);
    }
    if (theirNetwork !== undefined) add('network', theirNetwork, network);
    const theirSite = theirNetwork && siteOf(theirNetwork);
    if (theirSite !== undefined) add('site', theirSite, site);
    // Where the user has logged in before, guesses of strangers elsewhere are no obstacle.
    const isKnown = name !== undefined && theirNetwork !== undefined && this.#known.has(name, theirNetwork);
    if (name !== undefined && !isKnown) add('user', name, user);
    return counters;
  }

  #networkOf(mind: Mind): string | undefined {
    return this.#trusted(mind.remote) ? undefined : networkOf(mind.remote);
  }

  async #count(counters: readonly Counter[], credentials: Credentials, mind: Mind): Promise<void> {
    if (!this.#isNews(credentials, mind)) return;
    await Promise.all(counters.map(async ({ key, limit }) => this.#counts.add(key, limit.window)));
  }

  /** A client that leaves before its proof has guessed nothing: its networks are counted, and never the user. */
  async #countUnfinished(counters: readonly Counter[]): Promise<void> {
    const ofNetworks = counters.filter(({ kind }) => kind === 'network' || kind === 'site');
    await Promise.all(ofNetworks.map(async ({ key, limit }) => this.#counts.add(key, limit.window)));
  }

  /** False for a guess that was counted already: a forgotten client with an old password does not lock its user out. */
  #isNews(credentials: Credentials, mind: Mind): boolean {
    if (!(credentials instanceof UsernamePassword)) return true;
    return this.#guesses.add(credentials.username, this.#networkOf(mind) ?? '', credentials.password);
  }
}

interface Counter {
  readonly kind: keyof Limits;
  readonly key: string;
  readonly limit: ThrottleLimit;
}

/**
 * One name for however a user may be written: there are databases in which `JOSE` finds `josé`, with a blank behind it too, and
 * guesses at the one are guesses at the other. Hashed: it may be a password in the wrong field, may be long, and a store of failures
 * is no place to read user names.
 */
function nameOf(username: string): string {
  return hash('sha256', username.normalize('NFKD').replace(OVERLOOKED, '').toUpperCase(), 'base64url');
}

function limitsOf(given: { readonly [L in keyof Limits]?: ThrottleLimit }): Limits {
  const limits = { ...DEFAULTS };
  for (const name of Object.keys(DEFAULTS) as (keyof Limits)[]) {
    const limit = given[name] ?? DEFAULTS[name];
    const { failures, window, atOnce = 1 } = limit;
    if (!(failures >= 1 && window > 0 && atOnce >= 1)) {
      throw new RangeError(`${name}: failures and atOnce of 1 or more and a window above 0 are wanted`);
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

const MINUTE = 60_000;

const DEFAULTS: Readonly<Limits> = {
  userAndNetwork: { failures: 10, window: 15 * MINUTE },
  network: { failures: 50, window: 15 * MINUTE },
  site: { failures: 500, window: 15 * MINUTE },
  user: { failures: 100, window: 15 * MINUTE },
};

/** Accents, blanks, and what shows nothing. */
const OVERLOOKED = /[\p{M}\p{Default_Ignorable_Code_Point}\s]/gu;
