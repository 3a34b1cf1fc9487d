import { getHeapStatistics } from 'node:v8';

/** The bound that a reservation exceeds: the connection's own, or that of the process. */
export type MemoryShortage = 'connection' | 'process';

/** The bounds of a {@link MemoryBudget}, in octets. */
export interface MemoryBudgetOptions {
  /**
   * The most octets that all connections together hold. Default: half of the limit of the V8 heap.
   */
  readonly maxMemory?: number;
  /** The most octets that one connection holds. Default: 2 MiB. */
  readonly maxConnectionMemory?: number;
}

/**
 * Counts the memory that connections hold: envelopes, headers, read-ahead, unsent replies. One
 * object serves all listeners of a process. The last quarter is reserved for connections that hold
 * at most 24 KiB, so a few greedy clients cannot keep the others out.
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
      if (!(bound > 0)) throw new RangeError(`${name}: expected a number above 0, not ${bound}`);
    }
    this.maxMemory = maxMemory;
    this.maxConnectionMemory = maxConnectionMemory;
  }

  /** The octets that all connections hold now. */
  get held(): number {
    return this.#held;
  }

  /** True if the budget has room for one more connection. */
  get hasRoom(): boolean {
    return this.#held + CONNECTION_OCTETS <= this.maxMemory;
  }

  /** Opens the account of one connection. */
  open(): MemoryAccount {
    const account = new MemoryAccount(this);
    account.charge(CONNECTION_OCTETS);
    return account;
  }

  /**
   * @internal Returns true if the budget has room for `octets` more, of an account that then holds
   * `held`.
   */
  allows(octets: number, held: number): boolean {
    const bound = held <= SMALL_ACCOUNT_OCTETS ? this.maxMemory : this.maxMemory * LARGE_ACCOUNTS_SHARE;
    return this.#held + octets <= bound;
  }

  /** @internal */
  add(octets: number): void {
    this.#held += octets;
  }
}

/** Counts the memory of one connection. An account without a budget has no bound. */
export class MemoryAccount {
  readonly #budget: MemoryBudget | undefined;
  readonly #maxMemory: number;
  #held = 0;
  #isClosed = false;

  /** `maxMemory` are the most octets of the account. Default: those of one connection. */
  constructor(budget?: MemoryBudget, maxMemory = budget?.maxConnectionMemory ?? Number.POSITIVE_INFINITY) {
    this.#budget = budget;
    this.#maxMemory = maxMemory;
  }

  /**
   * Opens a further account in the same budget, without the bound of one connection: for a peer
   * that acts for many clients. The caller closes it.
   */
  openUnbounded(): MemoryAccount {
    return new MemoryAccount(this.#budget, Number.POSITIVE_INFINITY);
  }

  /** The octets that the connection holds now. */
  get held(): number {
    return this.#held;
  }

  /**
   * Returns the bound that `octets` more would exceed; undefined if there is room. Counts nothing.
   */
  shortageOf(octets: number): MemoryShortage | undefined {
    const budget = this.#budget;
    if (budget === undefined) return undefined;
    const held = this.#held + octets;
    if (held > this.#maxMemory) return 'connection';
    return budget.allows(octets, held) ? undefined : 'process';
  }

  /**
   * Counts the octets as held and returns true. Returns false and counts nothing if they exceed a
   * bound.
   */
  reserve(octets: number): boolean {
    if (this.shortageOf(octets) !== undefined) return false;
    this.charge(octets);
    return true;
  }

  /** Counts the octets as held without a check: for memory that is already allocated. */
  charge(octets: number): void {
    if (this.#isClosed) return;
    this.#held += octets;
    this.#budget?.add(octets);
  }

  /** Counts the octets as free again. */
  release(octets: number): void {
    this.charge(-octets);
  }

  /** Frees the whole account and ignores later calls: the connection has closed. */
  close(): void {
    this.release(this.#held);
    this.#isClosed = true;
  }
}

/** The octets that an idle connection holds. */
const CONNECTION_OCTETS = 8 * 1024;
/** The octets that a client holds which sends ordinary mail. */
const SMALL_ACCOUNT_OCTETS = 24 * 1024;
/** The share of the budget that is open to larger accounts. */
const LARGE_ACCOUNTS_SHARE = 0.75;
