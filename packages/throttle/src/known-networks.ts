/** The limits of a {@link KnownNetworks}. */
export interface KnownNetworksOptions {
  /**
   * The largest number of users with networks. The latest half of this number is always kept.
   * Default: 10,000.
   */
  readonly maxUsers?: number;
  /** The networks of one user, so that one account cannot displace those of others. Default: 8. */
  readonly maxNetworks?: number;
}

/**
 * The networks from which each user has logged in: the latest networks of the latest users. Guesses
 * at a user's password from other networks do not lock the user out of these.
 *
 * The users are in two generations. A full young generation becomes the old one, and the old one is
 * dropped. A single map that drops its oldest user at each login would search the places of the
 * users that it dropped before.
 */
export class KnownNetworks {
  /** The networks of each user, the latest last. */
  #young = new Map<string, string[]>();
  #old = new Map<string, string[]>();
  readonly #maxUsers: number;
  readonly #maxNetworks: number;

  constructor({ maxUsers = 10_000, maxNetworks = 8 }: KnownNetworksOptions = {}) {
    this.#maxUsers = maxUsers;
    this.#maxNetworks = maxNetworks;
  }

  /** Returns true if the user has logged in from the network. */
  has(user: string, network: string): boolean {
    return this.networksOf(user).includes(network);
  }

  /** Returns the networks of the user, the latest last. */
  networksOf(user: string): readonly string[] {
    return this.#young.get(user) ?? this.#old.get(user) ?? NO_NETWORKS;
  }

  /** Stores a login of the user from the network as the latest one. */
  add(user: string, network: string): void {
    const networks = this.#young.get(user) ?? this.#rejuvenate(user);
    if (networks.at(-1) === network) return;
    const index = networks.indexOf(network);
    if (index >= 0) networks.splice(index, 1);
    else if (networks.length >= this.#maxNetworks) networks.shift();
    networks.push(network);
  }

  /** Yields each user with each of its networks, the latest users last. */
  *entries(): IterableIterator<readonly [user: string, network: string]> {
    for (const generation of [this.#old, this.#young]) {
      for (const [user, networks] of generation) for (const network of networks) yield [user, network];
    }
  }

  #rejuvenate(user: string): string[] {
    const networks = this.#old.get(user) ?? [];
    if (this.#young.size >= this.#maxUsers / 2) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#old.delete(user);
    this.#young.set(user, networks);
    return networks;
  }
}

const NO_NETWORKS: readonly string[] = [];
