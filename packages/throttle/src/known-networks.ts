/** The limits of a {@link KnownNetworks}. */
export interface KnownNetworksOptions {
  /** The number of users with networks. Default: 10,000. */
  readonly maxUsers?: number;
  /** The networks of one user, so that one account cannot displace those of others. Default: 8. */
  readonly maxNetworks?: number;
}

/**
 * The networks from which each user has logged in: the latest networks of the latest users. Guesses
 * at a user's password from other networks do not lock the user out of these.
 */
export class KnownNetworks {
  readonly #users = new Map<string, Set<string>>();
  readonly #maxUsers: number;
  readonly #maxNetworks: number;

  constructor({ maxUsers = 10_000, maxNetworks = 8 }: KnownNetworksOptions = {}) {
    this.#maxUsers = maxUsers;
    this.#maxNetworks = maxNetworks;
  }

  /** Returns true if the user has logged in from the network. */
  has(user: string, network: string): boolean {
    return this.#users.get(user)?.has(network) ?? false;
  }

  /** Stores a login of the user from the network as the latest one. */
  add(user: string, network: string): void {
    const networks = this.#users.get(user) ?? new Set();
    addLatest(networks, network, this.#maxNetworks);
    this.#users.delete(user);
    this.#users.set(user, networks);
    const [oldest] = this.#users.keys();
    if (this.#users.size > this.#maxUsers && oldest !== undefined) this.#users.delete(oldest);
  }
}

function addLatest(members: Set<string>, member: string, maximum: number): void {
  members.delete(member);
  members.add(member);
  const [oldest] = members;
  if (members.size > maximum && oldest !== undefined) members.delete(oldest);
}
