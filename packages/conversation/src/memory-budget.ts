import { getHeapStatistics } from 'node:v8';

/** Which bound a reservation would have exceeded: the connection's own, or the budget of all connections. */
export type MemoryShortage = 'connection' | 'process';

/** The bounds of a {@link MemoryBudget}, in octets. */
export interface MemoryBudgetOptions {
  /** What all connections together may hold. Default: half of the limit of the process's heap. */
  readonly maxMemory?: number;
  /** What one connection may hold. Default: 2 MiB. */
  readonly maxConnectionMemory?: number;
}

/**
 * The memory that connections make a process keep: envelopes, held headers, read-ahead, unsent
 * replies. One object serves all listeners of a process. The last quarter is for connections that
 * hold at most 24 KiB: a few greedy clients do not keep the others out.
 */
export class MemoryBudget {
  readonly maxMemory: number;
  readonly maxConnectionMemory: number;
  #held = 0;

  /** @throws RangeError for a bound that is not a positive number. */
  constructor({
    maxMemory = getHeapStatistics().heap_size_limit / 2,
    maxConnectionMemory = 2 * 1024 * 1024,
  }: MemoryBudgetOptions = {}) {
    for (const [name, bound] of Object.entries({ maxMemory, maxConnectionMemory })) {
      if (!(bound > 0)) throw new RangeError(`${name}: more than 0 is wanted, not ${bound}`);
    }
    this.maxMemory = maxMemory;
    this.maxConnectionMemory = maxConnectionMemory;
  }

  /** What all connections hold now, in octets. */
  get held(): number {
    return this.#held;
  }

  /** True if one connection more can be served. */
  get hasRoom(): boolean {
    return this.#held + CONNECTION_OCTETS <= this.maxMemory;
  }

  /** Opens the account of one connection. */
  open(): MemoryAccount {
    const account = new MemoryAccount(this);
    account.charge(CONNECTION_OCTETS);
    return account;
  }

  /** @internal True if an account may hold that much, and these octets are a part of it that is new. */
  allows(octets: number, held: number): boolean {
    const bound = held <= SMALL_ACCOUNT_OCTETS ? this.maxMemory : this.maxMemory * LARGE_ACCOUNTS_SHARE;
    return this.#held + octets <= bound;
  }

  /** @internal */
  add(octets: number): void {
    this.#held += octets;
  }
}

/** What one connection makes the process keep. Without a budget nothing is refused. */
export class MemoryAccount {
  readonly #budget: MemoryBudget | undefined;
  #held = 0;
  #isClosed = false;

  constructor(budget?: MemoryBudget) {
    this.#budget = budget;
  }

  /** What the connection holds now, in octets. */
  get held(): number {
    return this.#held;
  }

  /** Returns which bound the octets would exceed; undefined if they can be held. Counts nothing. */
  shortageOf(octets: number): MemoryShortage | undefined {
    const budget = this.#budget;
    if (budget === undefined) return undefined;
    const held = this.#held + octets;
    if (held > budget.maxConnectionMemory) return 'connection';
    return budget.allows(octets, held) ? undefined : 'process';
  }

  /** Counts the octets as held and returns true; counts nothing and returns false where that exceeds a bound. */
  reserve(octets: number): boolean {
    if (this.shortageOf(octets) !== undefined) return false;
    this.charge(octets);
    return true;
  }

  /** Counts the octets as held, whatever the bounds are: memory that is taken already. */
  charge(octets: number): void {
    if (this.#isClosed) return;
    this.#held += octets;
    this.#budget?.add(octets);
  }

  /** Counts the octets as free again. */
  release(octets: number): void {
    this.charge(-octets);
  }

  /** Counts all as free, and nothing from now on: the connection is over. */
  close(): void {
    this.release(this.#held);
    this.#isClosed = true;
  }
}

/** What a connection takes that only waits: octets. */
const CONNECTION_OCTETS = 8 * 1024;
/** An account of a client that sends ordinary mail, in octets. */
const SMALL_ACCOUNT_OCTETS = 24 * 1024;
/** Of the budget: what accounts may fill that are larger. */
const LARGE_ACCOUNTS_SHARE = 0.75;
