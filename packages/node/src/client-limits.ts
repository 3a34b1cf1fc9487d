import { type Clock, siteOf, systemClock } from '@postern/core';
import { RateLimit } from './rate-limit.ts';

/**
 * How many connections there may be at a time, and how many may come. A client is an IPv4 address or an IPv6 /64; a site is an
 * IPv6 /48. UNIX sockets belong to neither. Infinity is no limit.
 */
export interface ConnectionLimits {
  /**
   * Of one listener. Default: 10,000. Connections that have not logged in take nine tenths of the places that the others leave; then
   * the oldest of them makes room for each new one.
   */
  readonly maxConnections?: number;
  /** From one IPv4 address or one IPv6 network of 64 bits. UNIX sockets are not counted. Default: 100. */
  readonly maxConnectionsPerClient?: number;
  /** From one IPv6 /48. Default: ten times `maxConnectionsPerClient`. */
  readonly maxConnectionsPerSite?: number;
  /**
   * New connections a minute from one client; ten times as many from one site. Default: thirty times `maxConnectionsPerClient`, at least
   * 3,000.
   */
  readonly maxConnectionsPerMinute?: number;
  /**
   * TLS handshakes a minute with one client; ten times as many with one site. A handshake that fails or is given up counts twice.
   * Default: twelve times `maxConnectionsPerClient`, at least 1,200.
   */
  readonly maxHandshakesPerMinute?: number;
}

/** Which limit a connection would have gone over. */
export type LimitExceeded =
  | 'connections'
  | 'connections-per-client'
  | 'connections-per-site'
  | 'connections-per-minute'
  | 'handshakes-per-minute'
  | 'memory';

/** Counts connections and handshakes by network, which is undefined for UNIX sockets and proxies. */
export class ClientLimits {
  readonly #clients: Counts;
  readonly #sites: Counts;
  readonly #connections: NetworkRate;
  readonly #handshakes: NetworkRate;

  /** @throws RangeError for a limit that is no number, or is negative. */
  constructor(limits: ConnectionLimits = {}, clock: Clock = systemClock) {
    for (const [name, limit] of Object.entries(limits)) {
      if (limit !== undefined && !(limit >= 0)) throw new RangeError(`${name}: 0 or more is wanted, not ${limit}`);
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

  /** How many clients are connected, as far as they are told apart. */
  get clients(): number {
    return this.#clients.size;
  }

  /** Counts one more connection. Returns the limit that it exceeds, if there is one, and then counts nothing but the attempt. */
  enter(network: string | undefined): LimitExceeded | undefined {
    if (network === undefined) return undefined;
    if (!this.#connections.take(network)) return 'connections-per-minute';
    if (this.#clients.isFull(network)) return 'connections-per-client';
    const site = siteOf(network);
    if (site !== undefined) {
      if (this.#sites.isFull(site)) return 'connections-per-site';
      this.#sites.add(site);
    }
    this.#clients.add(network);
    return undefined;
  }

  /** Counts one connection less. */
  leave(network: string | undefined): void {
    if (network === undefined) return;
    this.#clients.remove(network);
    const site = siteOf(network);
    if (site !== undefined) this.#sites.remove(site);
  }

  /** Counts one more handshake. Returns false if the client or its site has had too many. */
  beginHandshake(network: string | undefined): boolean {
    return network === undefined || this.#handshakes.take(network);
  }

  /** Counts a handshake that failed once more. */
  failHandshake(network: string | undefined): void {
    if (network !== undefined) this.#handshakes.charge(network);
  }
}

/** How many there are of each name. It keeps nothing of a name of which there are none. */
class Counts {
  readonly #maximum: number;
  readonly #counts = new Map<string, number>();

  constructor(maximum: number) {
    this.#maximum = maximum;
  }

  get size(): number {
    return this.#counts.size;
  }

  isFull(name: string): boolean {
    return (this.#counts.get(name) ?? 0) >= this.#maximum;
  }

  add(name: string): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
  }

  remove(name: string): void {
    const count = this.#counts.get(name) ?? 0;
    if (count > 1) this.#counts.set(name, count - 1);
    else this.#counts.delete(name);
  }
}

/** A rate for each network, and ten times that rate for the site around it. */
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

/** A site gets what ten clients get. */
const SITE_FACTOR = 10;
