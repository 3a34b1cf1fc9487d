import type { MaybePromise } from '@postern/core';

/**
 * The resources of a test file, closed in reverse order. Node 22 lacks `AsyncDisposableStack`.
 *
 * @example
 *   const resources = new ResourceStack();
 *   beforeAll(async () => {
 *     dovecot = resources.use(await startDovecot(users));
 *   });
 *   afterAll(() => resources.close()); // Also closes what a failed beforeAll has opened.
 */
export class ResourceStack {
  readonly #closers: (() => MaybePromise<unknown>)[] = [];

  /** Adds a resource and returns it. */
  use<T extends AsyncDisposable | Disposable>(resource: T): T {
    this.defer(() => (Symbol.asyncDispose in resource ? resource[Symbol.asyncDispose]() : resource[Symbol.dispose]()));
    return resource;
  }

  /** Adds a function that {@link close} calls. */
  defer(close: () => MaybePromise<unknown>): void {
    this.#closers.push(close);
  }

  /** Closes all resources, also behind one that fails. Rejects with the first failure. */
  async close(): Promise<void> {
    const failures: unknown[] = [];
    for (let close = this.#closers.pop(); close !== undefined; close = this.#closers.pop()) {
      try {
        await close();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}
