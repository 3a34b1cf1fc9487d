import { type Clock, systemClock } from '@postern/core';

/** A hear that waits for its next turn of the event loop. */
export interface TurnWaiter {
  /** Continues the work, or fails with the error. */
  resume(failure: Error | undefined): void;
}

/**
 * Shares the event loop among conversations that have more work than fits into one turn. All
 * conversations together work for `duration` milliseconds in a turn. Then each of them waits in one
 * queue, first come, first served. A conversation with a few lines never waits: it reads the clock
 * only after eight pieces of work.
 */
export class TurnQueue {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #duration: number;
  readonly #queue: TurnWaiter[] = [];
  /** The index of the first element of the queue: `Array.shift` is slow for a long queue. */
  #first = 0;
  /** The end of this turn by the clock, in milliseconds; undefined until a conversation asks. */
  #endsAt: number | undefined = undefined;
  #isScheduled = false;

  /** Takes the clock, and the milliseconds of work in one turn. Default: 2. */
  constructor(clock: Pick<Clock, 'now'> = systemClock, duration = 2) {
    this.#clock = clock;
    this.#duration = duration;
  }

  /** True if the conversations have used up this turn. Reads the clock. */
  get isOver(): boolean {
    const now = this.#clock.now();
    if (this.#endsAt === undefined) {
      this.#endsAt = now + this.#duration;
      this.#schedule();
    }
    return now >= this.#endsAt;
  }

  /** Appends the waiter to the queue. A later turn resumes it. */
  wait(waiter: TurnWaiter): void {
    this.#queue.push(waiter);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(this.#run);
  }

  /** Runs one turn. Waiters that join the queue during the turn wait for the next one. */
  readonly #run = (): void => {
    this.#isScheduled = false;
    this.#endsAt = undefined;
    const end = this.#queue.length;
    if (end === 0) return;
    this.#schedule();
    this.#endsAt = this.#clock.now() + this.#duration;
    // At least one waiter resumes, even if the turn is already over.
    do this.#queue[this.#first++]?.resume(undefined);
    while (this.#first < end && !this.isOver);
    if (this.#first * 2 < this.#queue.length) return;
    this.#queue.splice(0, this.#first);
    this.#first = 0;
  };
}
