import { performance } from 'node:perf_hooks';

/**
 * Recognizes a slow file system by calls that take more than 20 ms. Another process that had the
 * processor makes a call slow as well. So only a call that has put the process to sleep counts,
 * once a first slow call has made the file system suspect.
 */
export class Pace {
  readonly #meter: Meter;
  #slowUntil = Number.NEGATIVE_INFINITY;
  /** The weight of the latest slow calls. */
  #weight = 0;

  constructor(meter: Meter = systemMeter) {
    this.#meter = meter;
  }

  /** True for 10 s after five slow calls among at most six. */
  get isSlow(): boolean {
    return this.#slowUntil !== Number.NEGATIVE_INFINITY && this.#meter.now() < this.#slowUntil;
  }

  /** Makes a synchronous call of the file system, and judges its time. */
  timed<T>(call: () => T): T {
    // A look at the sleeps takes as long as a call. So a file system without suspicion gets none.
    const sleeps = this.#weight > 0 ? this.#meter.sleeps() : undefined;
    const begin = this.#meter.now();
    try {
      return call();
    } finally {
      this.#judge(begin, sleeps);
    }
  }

  #judge(begin: number, sleeps: number | undefined): void {
    const end = this.#meter.now();
    if (end - begin <= MAX_CALL_MS) {
      if (this.#weight > 0) this.#weight -= 1;
    } else if (sleeps === undefined || this.#meter.sleeps() > sleeps) {
      this.#weight += SLOW_CALL_WEIGHT;
      if (this.#weight > MAX_WEIGHT) this.#slowUntil = end + SLOW_MS;
    }
  }
}

/** What a {@link Pace} measures. */
export interface Meter {
  /** Returns the time in milliseconds. */
  now(): number;
  /** Returns how often this process has waited. */
  sleeps(): number;
}

const systemMeter: Meter = {
  now: () => performance.now(),
  sleeps: () => process.resourceUsage().voluntaryContextSwitches,
};

const MAX_CALL_MS = 20;
const SLOW_MS = 10_000;
/** The prompt calls that make up for a slow one. */
const SLOW_CALL_WEIGHT = 2;
/** Five slow calls among at most six are too many. */
const MAX_WEIGHT = 8;
