import { afterExactly, type Clock } from '@postern/core';

/**
 * Releases the first challenges of live credentials, such as SCRAM's, so that the time of a look-up
 * does not show. One object serves all logins of a server.
 *
 * A challenge leaves at a tick: a multiple of half the interval on the clock. The tick is the first
 * one that lies at least `interval` milliseconds after the client's message. The message's own time
 * therefore decides on the tick, and not the look-up, unless the look-up takes longer than the
 * interval. Such a challenge leaves one or more whole intervals later. The challenges of one tick
 * leave in the order of the clients' messages, and not in that of the look-ups.
 *
 * The logins of one tick share one exact timer, which keeps the event loop awake for its last one
 * to two milliseconds.
 */
export class ChallengePacer {
  readonly #interval: number;
  readonly #clock: Clock;
  /** The challenges that leave at each tick. */
  readonly #ticks = new Map<number, PacedChallenge[]>();

  /** `interval` is in milliseconds; 0 releases each challenge at once. */
  constructor(interval: number, clock: Clock) {
    this.#interval = interval;
    this.#clock = clock;
  }

  /** The time of the clock in milliseconds, for {@link next}. */
  now(): number {
    return this.#clock.now();
  }

  /** Resolves at the tick of a client's message that arrived at `arrival` on the clock. */
  next(arrival: number): Promise<void> {
    if (!(this.#interval > 0)) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    const now = this.#clock.now();
    // Ticks are counted, because a sum of times would not be exact.
    const first = Math.ceil((arrival / this.#interval + 1) * TICKS_PER_INTERVAL);
    const late = Math.max(0, Math.ceil((now - this.#timeOf(first)) / this.#interval));
    const tick = first + late * TICKS_PER_INTERVAL;
    const challenges = this.#ticks.get(tick) ?? this.#begin(tick, now);
    challenges.push({ arrival, release: resolve });
    return promise;
  }

  /** Returns the time of a tick in milliseconds of the clock. */
  #timeOf(tick: number): number {
    return (tick / TICKS_PER_INTERVAL) * this.#interval;
  }

  #begin(tick: number, now: number): PacedChallenge[] {
    const challenges: PacedChallenge[] = [];
    this.#ticks.set(tick, challenges);
    const delay = this.#timeOf(tick) - now;
    afterExactly(this.#clock, delay, () => {
      this.#ticks.delete(tick);
      challenges.sort((a, b) => a.arrival - b.arrival);
      for (const { release } of challenges) release();
    });
    return challenges;
  }
}

interface PacedChallenge {
  readonly arrival: number;
  readonly release: () => void;
}

const TICKS_PER_INTERVAL = 2;
