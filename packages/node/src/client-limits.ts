import { type Clock, siteOf, systemClock } from '@postern/core';
import { RateLimit } from './rate-limit.ts';

/**
 * The limits of one listener. A client is an IPv4 address or an IPv6 /64, and a site is an IPv6
 * /48. No limit but `maxConnections` counts UNIX sockets. `Infinity` is no limit.
 */
export interface ConnectionLimits {
  /**
   * The number of open connections. Default: 10,000. Clients without a login may hold nine tenths
   * of the connections that logged-in clients leave. Then each new client displaces the oldest one.
   */
  readonly maxConnections?: number;
  /** The number of open connections of a client. Default: 100. */
  readonly maxConnectionsPerClient?: number;
  /** The number of open connections of a site. Default: ten times `maxConnectionsPerClient`. */
  readonly maxConnectionsPerSite?: number;
  /**
   * The number of new connections of a client in a minute. A site has ten times as many. Default:
   * thirty times `maxConnectionsPerClient`, at least 3,000.
   */
  readonly maxConnectionsPerMinute?: number;
  /**
   * The number of TLS handshakes of a client in a minute. A site has ten times as many. A handshake
   * that fails counts twice. Default: twelve times `maxConnectionsPerClient`, at least 1,200.
   */
  readonly maxHandshakesPerMinute?: number;
}

/** The limit that a connection exceeds. `memory` is the budget of the option `conversation`. */
export type LimitExceeded =
  | 'connections'
  | 'connections-per-client'
  | 'connections-per-site'
  | 'connections-per-minute'
  | 'handshakes-per-minute'
  | 'memory';

/**
 * Counts connections and handshakes by network. The network is undefined for UNIX sockets and
 * proxies.
 */
export class ClientLimits {
  readonly #clients: Counts;
  readonly #sites: Counts;
  readonly #connections: NetworkRate;
  readonly #handshakes: NetworkRate;

  /** @throws RangeError if a limit is negative or NaN. */
  constructor(limits: ConnectionLimits = {}, clock: Clock = systemClock) {
    for (const [name, limit] of Object.entries(limits)) {
      if (limit !== undefined && !(limit >= 0)) throw new RangeError(`${name}: expected 0 or more, not ${limit}`);
    }
    const { maxConnectionsPerClient = 100 } = limits;
    const {
      maxConnectionsPerSite = SITE_FACTOR * maxConnectionsPerClient,
      maxConnectionsPerMinute = Math.max(3_000, 30 * maxConnectionsPerClient),
      maxHandshakesPerMinute = Math.max(1_200, 12 * maxConnectionsPerClient),
    } = limits;
    this.#clients = new Counts(maxConnectionsPerClient);
    this.#sites = new Counts(maxConnectionsPerSite);
    this.#connections = new NetworkRate(maxConnectionsPerMinute, clock);
    this.#handshakes = new NetworkRate(maxHandshakesPerMinute, clock);
  }

  /** The number of networks with an open connection. */
  get clients(): number {
    return this.#clients.size;
  }

  /**
   * Counts a new connection, or returns the limit that it exceeds. The limits per minute count it
   * in both cases.
   */
  addConnection(network: string | undefined): LimitExceeded | undefined {
    if (network === undefined) return undefined;
    if (!this.#connections.take(network)) return 'connections-per-minute';
    if (!this.#clients.add(network)) return 'connections-per-client';
    const site = siteOf(network);
    if (site === undefined || this.#sites.add(site)) return undefined;
    this.#clients.remove(network);
    return 'connections-per-site';
  }

  /** Stops counting a connection that {@link addConnection} counted. */
  removeConnection(network: string | undefined): void {
    if (network === undefined) return;
    this.#clients.remove(network);
    const site = siteOf(network);
    if (site !== undefined) this.#sites.remove(site);
  }

  /**
   * Counts a new handshake. Returns false if the client or its site had too many in this minute.
   */
  beginHandshake(network: string | undefined): boolean {
    return network === undefined || this.#handshakes.take(network);
  }

  /** Counts a handshake a second time, because it failed. */
  failHandshake(network: string | undefined): void {
    if (network !== undefined) this.#handshakes.charge(network);
  }
}

/** A count for each name, up to a maximum. A count of zero takes no memory. */
class Counts {
  readonly #maximum: number;
  readonly #counts = new Map<string, number>();

  constructor(maximum: number) {
    this.#maximum = maximum;
  }

  get size(): number {
    return this.#counts.size;
  }

  /** Counts one more and returns true. Returns false at the maximum. */
  add(name: string): boolean {
    const count = this.#counts.get(name) ?? 0;
    if (count >= this.#maximum) return false;
    this.#counts.set(name, count + 1);
    return true;
  }

  remove(name: string): void {
    const count = this.#counts.get(name) ?? 0;
    if (count > 1) this.#counts.set(name, count - 1);
    else this.#counts.delete(name);
  }
}

/** A rate limit for each network, and one of ten times that rate for each site. */
class NetworkRate {
  readonly #networks: RateLimit;
  readonly #sites: RateLimit;

  constructor(perMinute: number, clock: Clock) {
    this.#networks = new RateLimit(perMinute, { clock });
    this.#sites = new RateLimit(SITE_FACTOR * perMinute, { clock });
  }

  take(network: string): boolean {
    const site = siteOf(network);
    return this.#networks.take(network) && (site === undefined || this.#sites.take(site));
  }

  charge(network: string): void {
    this.#networks.charge(network);
    const site = siteOf(network);
    if (site !== undefined) this.#sites.charge(site);
  }
}

/** The number of clients whose limits one site has. */
const SITE_FACTOR = 10;
