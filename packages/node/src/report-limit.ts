import type { Clock } from '@postern/core';

/** Bounds how often a log hears of what strangers can repeat: at most 60 times a minute. */
export class ReportLimit {
  readonly #clock: Clock;
  #minuteEnds = Number.NEGATIVE_INFINITY;
  #reports = 0;
  #omitted = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Returns how many reports were omitted since the last one; undefined if this one is to be omitted as well. */
  next(): number | undefined {
    const now = this.#clock.now();
    if (now >= this.#minuteEnds) {
      this.#minuteEnds = now + MINUTE_MS;
      this.#reports = 0;
    }
    if (this.#reports >= MAX_REPORTS) {
      this.#omitted++;
      return undefined;
    }
    this.#reports++;
    const omitted = this.#omitted;
    this.#omitted = 0;
    return omitted;
  }
}

const MINUTE_MS = 60_000;
const MAX_REPORTS = 60;
