/** How many connections there may be at a time. */
export interface Limits {
  /** Of one listener. Default: 10,000. */
  readonly connections?: number;
  /** From one IPv4 address or one IPv6 network of 64 bits. UNIX sockets are not counted. Default: 100. */
  readonly connectionsPerClient?: number;
}

/** Which limit a connection would have gone over. */
export type Excess = 'connections' | 'connections-per-client';

/** Counts open connections, all and by client. */
export class ClientLimits {
  readonly #maximum: number;
  readonly #maximumPerClient: number;
  readonly #counts = new Map<string, number>();
  #total = 0;

  /** Throws a RangeError for what is no number to count to. */
  constructor({ connections = 10_000, connectionsPerClient = 100 }: Limits = {}) {
    for (const [name, limit] of Object.entries({ connections, connectionsPerClient })) {
      if (!(limit >= 0)) throw new RangeError(`${name}: 0 or more is wanted, not ${limit}`);
    }
    this.#maximum = connections;
    this.#maximumPerClient = connectionsPerClient;
  }

  /** How many clients are connected, as far as they are told apart. */
  get clients(): number {
    return this.#counts.size;
  }

  /** Counts one connection more of the client, or, if that would be too many, says of what and counts nothing. */
  enter(client: string | undefined): Excess | undefined {
    if (this.#total >= this.#maximum) return 'connections';
    if (client !== undefined) {
      const count = this.#counts.get(client) ?? 0;
      if (count >= this.#maximumPerClient) return 'connections-per-client';
      this.#counts.set(client, count + 1);
    }
    this.#total++;
    return undefined;
  }

  /** Counts one connection less. */
  leave(client: string | undefined): void {
    this.#total--;
    if (client === undefined) return;
    const count = this.#counts.get(client) ?? 0;
    if (count > 1) this.#counts.set(client, count - 1);
    else this.#counts.delete(client);
  }
}
