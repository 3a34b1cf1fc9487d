import type { Standing } from '@postern/conversation';

/** A connection that holds one of a listener's slots. */
export abstract class SlotHolder {
  /** @internal The queue of {@link ConnectionSlots} in which the holder stands. */
  queue: Queue | undefined = undefined;
  /** @internal */
  older: SlotHolder | undefined = undefined;
  /** @internal */
  newer: SlotHolder | undefined = undefined;

  /** True if a conversation has begun, so that the client can get a last reply. */
  abstract readonly isConversing: boolean;

  /** Makes the conversation fail where it waits for its client. */
  abstract interrupt(reason: Error): void;

  /** Asks the connection to close, so that its slot becomes free. */
  abstract displace(): void;

  /** Closes the connection at once. */
  abstract destroy(): void;
}

/**
 * The slots of one listener: at most `maximum` connections hold one. Clients without a login may
 * hold nine tenths of the slots that logged-in clients leave. Above that, each new client displaces
 * the oldest client without a login. When all slots are taken, a displaced connection is destroyed.
 * Each call takes constant time.
 */
export class ConnectionSlots {
  readonly #maximum: number;
  readonly #unauthenticated = new Queue();
  readonly #busy = new Queue();
  readonly #authenticated = new Queue();
  /** The connections that were asked to close. */
  readonly #displaced = new Queue();

  constructor(maximum: number) {
    this.#maximum = maximum;
  }

  /** The number of slots that are taken. */
  get size(): number {
    return this.#unauthenticated.size + this.#busy.size + this.#authenticated.size + this.#displaced.size;
  }

  /** Yields all holders. The loop may free the slot of the current holder, and must take none. */
  *[Symbol.iterator](): Generator<SlotHolder> {
    for (const queue of [this.#unauthenticated, this.#busy, this.#authenticated, this.#displaced]) yield* queue;
  }

  /**
   * Takes a slot for a client without a login. Returns false if logged-in clients hold all slots.
   */
  take(holder: SlotHolder): boolean {
    const available = this.#maximum - this.#authenticated.size;
    if (available <= 0) return false;
    const isNearlyFull = this.#unauthenticated.size + this.#busy.size >= Math.ceil(NEARLY_FULL * available);
    const displaced = isNearlyFull ? this.#oldest : undefined;
    if (displaced !== undefined) {
      this.#displaced.add(displaced);
      displaced.displace();
    }
    if (this.size >= this.#maximum) this.#destroyOne(displaced);
    this.#unauthenticated.add(holder);
    return true;
  }

  /**
   * Moves the holder to the end of the queue of the standing. Only a login saves a displaced
   * holder.
   */
  move(holder: SlotHolder, standing: Standing): void {
    if (holder.queue === undefined || (holder.queue === this.#displaced && standing !== 'authenticated')) return;
    this.#queueOf(standing).add(holder);
  }

  /** Frees the holder's slot, unless the slot is free already. */
  free(holder: SlotHolder): void {
    holder.queue?.delete(holder);
  }

  get #oldest(): SlotHolder | undefined {
    return this.#unauthenticated.oldest ?? this.#busy.oldest;
  }

  #destroyOne(displaced: SlotHolder | undefined): void {
    const holder = this.#displaced.oldest;
    if (holder === undefined) return;
    this.free(holder);
    // A connection that was displaced just now sends its last reply first.
    if (holder === displaced) setImmediate(() => holder.destroy());
    else holder.destroy();
  }

  #queueOf(standing: Standing): Queue {
    if (standing === 'authenticated') return this.#authenticated;
    return standing === 'busy' ? this.#busy : this.#unauthenticated;
  }
}

/**
 * Holders in the order of their arrival. The list is linked through the holders: a Set with many
 * adds and deletes leaves garbage behind (see `DenseSet` of `@postern/core`).
 */
class Queue implements Iterable<SlotHolder> {
  oldest: SlotHolder | undefined = undefined;
  newest: SlotHolder | undefined = undefined;
  size = 0;

  *[Symbol.iterator](): Generator<SlotHolder> {
    let holder = this.oldest;
    while (holder !== undefined) {
      const { newer }: SlotHolder = holder;
      yield holder;
      holder = newer;
    }
  }

  /** Adds the holder as the newest one, and removes it from its queue before. */
  add(holder: SlotHolder): void {
    holder.queue?.delete(holder);
    holder.queue = this;
    holder.older = this.newest;
    if (this.newest === undefined) this.oldest = holder;
    else this.newest.newer = holder;
    this.newest = holder;
    this.size++;
  }

  delete(holder: SlotHolder): void {
    const { older, newer } = holder;
    if (older === undefined) this.oldest = newer;
    else older.newer = newer;
    if (newer === undefined) this.newest = older;
    else newer.older = older;
    holder.queue = undefined;
    holder.older = undefined;
    holder.newer = undefined;
    this.size--;
  }
}

/** The share of the slots at which displacement begins. */
const NEARLY_FULL = 0.9;
