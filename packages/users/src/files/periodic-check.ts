import { type Clock, orAborted } from '@postern/core';

/**
 * A check that look-ups start at most once a second and share. A look-up waits for it at most a
 * second, so that a file system that hangs keeps no login.
 */
export class PeriodicCheck {
  readonly #check: () => Promise<void>;
  readonly #onLate: () => void;
  readonly #clock: Clock;
  /** The time at which the last check began or ended. */
  #time: number;
  /** Resolves when the running check has ended or is late. */
  #running: Promise<void> | undefined;

  /** `check` never rejects. `onLate` is called for each check that takes a second. */
  constructor(check: () => Promise<void>, onLate: () => void, clock: Clock) {
    this.#check = check;
    this.#onLate = onLate;
    this.#clock = clock;
    this.#time = clock.now();
  }

  /** True if a look-up need not wait: the last check is young, or the running one is late. */
  get isDone(): boolean {
    const elapsed = this.#clock.now() - this.#time;
    return this.#running === undefined ? elapsed < INTERVAL_MS : elapsed >= TIMEOUT_MS;
  }

  /** Starts the check unless it runs. Resolves when it has ended, is late, or `signal` aborts. */
  async wait(signal: AbortSignal): Promise<void> {
    this.#running ??= this.#start();
    await orAborted(this.#running, signal);
  }

  #start(): Promise<void> {
    this.#time = this.#clock.now();
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = this.#clock.after(TIMEOUT_MS, () => {
      resolve();
      this.#onLate();
    });
    void this.#check().then(() => {
      timer[Symbol.dispose]();
      this.#running = undefined;
      this.#time = this.#clock.now();
      resolve();
    });
    return promise;
  }
}

const INTERVAL_MS = 1_000;
const TIMEOUT_MS = 1_000;
