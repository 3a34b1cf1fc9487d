import { performance } from 'node:perf_hooks';
import { setImmediate } from 'node:timers/promises';

/**
 * Slices long work on the event loop into turns of a few milliseconds, so that other sessions do
 * not wait for it.
 */
export class Turns {
  #endsAt = performance.now() + TURN_MS;

  /** True when the current turn has lasted long enough. Then await {@link next}. */
  get isOver(): boolean {
    return performance.now() >= this.#endsAt;
  }

  /** Resolves when the event loop has served all other work. */
  async next(): Promise<void> {
    await setImmediate();
    this.#endsAt = performance.now() + TURN_MS;
  }
}

const TURN_MS = 4;
