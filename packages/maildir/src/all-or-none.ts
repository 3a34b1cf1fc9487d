import { type RecipientResult, Rejection } from '@postern/esmtp';
import { rejectionFor } from './file-errors.ts';

/**
 * Runs the steps of a delivery, each for all copies before the next step. With `together` a step
 * that fails for one copy is the last one, and all copies have failed.
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

  /** The copies that have failed. */
  get failed(): readonly T[] {
    return this.#together && this.#failures.size > 0 ? this.#copies : [...this.#failures.keys()];
  }

  /**
   * Runs a step for each copy that has not failed, for up to four copies in parallel. Never
   * rejects.
   */
  async step(run: (copy: T) => Promise<void>): Promise<void> {
    const failed = new Set(this.failed);
    const remaining = this.#copies.filter((copy) => !failed.has(copy)).values();
    await Promise.all(
      Array.from({ length: MAX_PARALLEL_COPIES }, async () => {
        for (const copy of remaining) await this.#try(copy, run);
      }),
    );
  }

  /**
   * Returns the result of a copy: its own failure, or the first failure where all copies fail
   * together.
   */
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

/** The most copies in one step at a time, each with one or two open files. */
const MAX_PARALLEL_COPIES = 4;
