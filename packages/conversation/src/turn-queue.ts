import { type Clock, systemClock } from '@postern/core';

/** A conversation that waits for its next turn. */
export interface TurnWaiter {
  /** Goes on with the work, or fails for the reason. */
  resume(failure: Error | undefined): void;
}

/**
 * Shares the event loop among conversations that have more work than one turn of the loop allows.
 * All of them together work for `duration` milliseconds a turn; then each waits in one queue, first
 * come, first served. A conversation with a few lines never waits: it looks at the clock later.
 */
export class TurnQueue {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #duration: number;
  readonly #queue: TurnWaiter[] = [];
  /** Where the queue begins: an array is slow to lose its first element. */
  #first = 0;
  /** When this turn is over, by the clock; undefined until a conversation asks. */
  #endsAt: number | undefined = undefined;
  #isScheduled = false;

  /** The duration of the work in one turn is in milliseconds; the default is 2. */
  constructor(clock: Pick<Clock, 'now'> = systemClock, duration = 2) {
    this.#clock = clock;
    this.#duration = duration;
  }

  /** True if the conversations have used up this turn of the loop. Reads the clock. */
  get isOver(): boolean {
    const now = this.#clock.now();
    if (this.#endsAt === undefined) {
      this.#endsAt = now + this.#duration;
      this.#schedule();
    }
    return now >= this.#endsAt;
  }

  /** Wakes the conversation in a later turn, after all that wait already. */
  wait(conversation: TurnWaiter): void {
    this.#queue.push(conversation);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(this.#run);
  }

  /** Begins a turn. The conversations that join the queue meanwhile wait for the next one. */
  readonly #run = (): void => {
    this.#isScheduled = false;
    this.#endsAt = undefined;
    const end = this.#queue.length;
    if (end === 0) return;
    this.#schedule();
    this.#endsAt = this.#clock.now() + this.#duration;
    // At least one goes on, however short a turn is.
    do this.#queue[this.#first++]?.resume(undefined);
    while (this.#first < end && !this.isOver);
    if (this.#first * 2 < this.#queue.length) return;
    this.#queue.splice(0, this.#first);
    this.#first = 0;
  };
}
