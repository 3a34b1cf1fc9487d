import type { Standing } from '@postern/conversation';

/** A connection that takes one of a listener's places. */
export abstract class ConnectionSlot {
  /** @internal Where it stands, which {@link ConnectionSlots} keeps. */
  queue: Queue | undefined = undefined;
  /** @internal */
  older: ConnectionSlot | undefined = undefined;
  /** @internal */
  newer: ConnectionSlot | undefined = undefined;

  /** True if a conversation has begun: its peer can hear a last word. */
  abstract readonly isConversing: boolean;

  /** Makes the conversation fail where it waits for its peer. */
  abstract interrupt(reason: Error): void;

  /** Asks the connection to make room. */
  abstract displace(): void;

  /** Closes the connection at once. */
  abstract destroy(): void;
}

/**
 * The places of one listener. Strangers may take nine tenths of the places that known peers leave; beyond that the oldest one is
 * displaced for each new one. When no place is left, one that has been asked to leave is destroyed. Each call takes constant time.
 */
export class ConnectionSlots {
  readonly #maximum: number;
  readonly #strangers = new Queue();
  readonly #busy = new Queue();
  readonly #known = new Queue();
  /** Places that have been asked to make room. */
  readonly #leaving = new Queue();

  constructor(maximum: number) {
    this.#maximum = maximum;
  }

  /** The number of places that are taken. */
  get size(): number {
    return this.#strangers.size + this.#busy.size + this.#known.size + this.#leaving.size;
  }

  /** Yields all places. None may enter meanwhile; the one at hand may leave. */
  *[Symbol.iterator](): Generator<ConnectionSlot> {
    for (const queue of [this.#strangers, this.#busy, this.#known, this.#leaving]) yield* queue;
  }

  /** Takes a place as a stranger. Returns false if known peers have all places. */
  enter(place: ConnectionSlot): boolean {
    const room = this.#maximum - this.#known.size;
    if (room <= 0) return false;
    const isNearlyFull = this.#strangers.size + this.#busy.size >= Math.ceil(NEARLY_FULL * room);
    const displaced = isNearlyFull ? this.#oldest : undefined;
    if (displaced !== undefined) {
      this.#leaving.add(displaced);
      displaced.displace();
    }
    if (this.size >= this.#maximum) this.#destroyOne(displaced);
    this.#strangers.add(place);
    return true;
  }

  /** Moves the place to those of the same standing, as the newest one. A place that is to make room stays so, unless it is known. */
  move(place: ConnectionSlot, standing: Standing): void {
    if (place.queue === undefined || (place.queue === this.#leaving && standing !== 'known')) return;
    this.#queueOf(standing).add(place);
  }

  /** Frees the place, unless it is free already. */
  leave(place: ConnectionSlot): void {
    place.queue?.delete(place);
  }

  get #oldest(): ConnectionSlot | undefined {
    return this.#strangers.oldest ?? this.#busy.oldest;
  }

  #destroyOne(displaced: ConnectionSlot | undefined): void {
    const place = this.#leaving.oldest;
    if (place === undefined) return;
    this.leave(place);
    // The last word leaves first.
    if (place === displaced) setImmediate(() => place.destroy());
    else place.destroy();
  }

  #queueOf(standing: Standing): Queue {
    if (standing === 'known') return this.#known;
    return standing === 'busy' ? this.#busy : this.#strangers;
  }
}

/** Places in the order in which they came: a list that is linked through them, since a Set leaves garbage behind (see Roll). */
class Queue implements Iterable<ConnectionSlot> {
  oldest: ConnectionSlot | undefined = undefined;
  newest: ConnectionSlot | undefined = undefined;
  size = 0;

  *[Symbol.iterator](): Generator<ConnectionSlot> {
    let place = this.oldest;
    while (place !== undefined) {
      const { newer }: ConnectionSlot = place;
      yield place;
      place = newer;
    }
  }

  /** Adds the place as the newest one, and takes it out of the queue in which it is. */
  add(place: ConnectionSlot): void {
    place.queue?.delete(place);
    place.queue = this;
    place.older = this.newest;
    if (this.newest === undefined) this.oldest = place;
    else this.newest.newer = place;
    this.newest = place;
    this.size++;
  }

  delete(place: ConnectionSlot): void {
    const { older, newer } = place;
    if (older === undefined) this.oldest = newer;
    else older.newer = newer;
    if (newer === undefined) this.newest = older;
    else newer.older = older;
    place.queue = undefined;
    place.older = undefined;
    place.newer = undefined;
    this.size--;
  }
}

const NEARLY_FULL = 0.9;
