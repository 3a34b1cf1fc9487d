/**
 * Work that no login waits for, such as the storing of a new hash. At most one task runs for each
 * key, and `max` in all; further ones are dropped, since the next login brings them again.
 */
export class BackgroundTasks implements AsyncDisposable {
  readonly #max: number;
  readonly #onError: (error: Error) => void;
  readonly #running = new Map<string, Promise<void>>();
  #disposed = false;

  constructor(max: number, onError: (error: Error) => void) {
    this.#max = max;
    this.#onError = onError;
  }

  /** Starts the task, unless it must be dropped. Its error goes to `onError`. */
  start(key: string, task: () => Promise<void>): void {
    if (this.#disposed || this.#running.has(key) || this.#running.size >= this.#max) return;
    const work = task()
      .catch((error: unknown) =>
        this.#onError(error instanceof Error ? error : new Error('a task failed', { cause: error })),
      )
      .finally(() => this.#running.delete(key));
    this.#running.set(key, work);
  }

  /** Resolves when the running tasks have ended. Later tasks are dropped. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    await Promise.all(this.#running.values());
  }
}
