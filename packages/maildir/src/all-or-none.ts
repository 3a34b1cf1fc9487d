import { type RecipientResult, Rejection } from '@postern/esmtp';
import { rejectionFor } from './trouble.ts';

/**
 * Takes the copies of a message through steps, each for all copies before the next: written and synced, reserved, named, synced.
 * With `together` the first step that fails for one copy is the last, for all.
 */
export class AllOrNone<T> {
  readonly #copies: readonly T[];
  readonly #together: boolean;
  readonly #onError: (error: unknown, copy: T) => void;
  readonly #failures = new Map<T, RecipientResult>();

  constructor(copies: readonly T[], together: boolean, onError: (error: unknown, copy: T) => void) {
    this.#copies = copies;
    this.#together = together;
    this.#onError = onError;
  }

  /** The copies that are not to be delivered. */
  get lost(): readonly T[] {
    return this.#together && this.#failures.size > 0 ? this.#copies : [...this.#failures.keys()];
  }

  /** Does a step for each copy that is to be delivered, for a few at once. Never rejects. */
  async step(run: (copy: T) => Promise<void>): Promise<void> {
    const lost = new Set(this.lost);
    const rest = this.#copies.filter((copy) => !lost.has(copy)).values();
    await Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        for (const copy of rest) await this.#try(copy, run);
      }),
    );
  }

  /** Returns what became of a copy: where all fail together, its own failure, or else the first one. */
  resultOf(copy: T): RecipientResult {
    const [first] = this.#failures.values();
    return this.#failures.get(copy) ?? (this.#together ? first : undefined);
  }

  async #try(copy: T, run: (copy: T) => Promise<void>): Promise<void> {
    try {
      await run(copy);
    } catch (error) {
      if (!(error instanceof Rejection)) this.#onError(error, copy);
      this.#failures.set(copy, rejectionFor(error).reply);
    }
  }
}

/** Copies served at the same time, each with one or two open files. */
const AT_ONCE = 4;
