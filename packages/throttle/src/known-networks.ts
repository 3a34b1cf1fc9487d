/** How many pairs a {@link KnownNetworks} keeps. */
export interface KnownNetworksOptions {
  /** Users with networks. Default: 10,000. */
  readonly maxUsers?: number;
  /** Networks of one user, so that one account cannot wash away those of others. Default: 8. */
  readonly maxNetworks?: number;
}

/**
 * The networks from which each user has logged in, the latest ones of the latest users. Strangers who
 * guess a user's password from elsewhere do not keep the user out of these.
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

  /** Remembers a login of the user from the network as the latest one. */
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
