/** A clock that stands still until it is told otherwise: the `Clock` of cred and of conversation. */
export class FakeClock {
  #now = 0;
  readonly #timers = new Set<Timer>();

  now(): number {
    return this.#now;
  }

  after(milliseconds: number, callback: () => void): Disposable {
    const timer = { at: this.#now + Math.max(0, milliseconds), callback };
    this.#timers.add(timer);
    return { [Symbol.dispose]: () => void this.#timers.delete(timer) };
  }

  /** How many timers have neither fired nor been disposed of. */
  get pending(): number {
    return this.#timers.size;
  }

  /**
   * Lets so many milliseconds pass: the timers that fall due call back in their order, each at its time, and what they set in motion
   * gets its turn before the next one does. Resolves when all has come to rest.
   */
  async advance(milliseconds: number): Promise<void> {
    const until = this.#now + milliseconds;
    await settle();
    for (let timer = this.#next(until); timer !== undefined; timer = this.#next(until)) {
      this.#timers.delete(timer);
      this.#now = timer.at;
      timer.callback();
      await settle();
    }
    this.#now = until;
  }

  #next(until: number): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.at <= until && (next === undefined || timer.at < next.at)) next = timer;
    }
    return next;
  }
}

interface Timer {
  readonly at: number;
  readonly callback: () => void;
}

/** Resolves when all that could go on without time passing, or the outside world, has gone on. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
