import { type MaybePromise, orAborted } from '@postern/core';
import { LoginDenied, TemporaryFailure } from '@postern/cred';

/**
 * Limits how many logins run at the same time under one key. Further logins wait in a queue. A key
 * without logins takes no memory.
 */
export class KeyedSemaphore {
  readonly #queues = new Map<string, Queue>();

  /** Returns a permit, which ends when it is disposed of or when the signal aborts. */
  permit(signal: AbortSignal): Permit {
    return new Permit(this.#queues, signal);
  }
}

interface Queue {
  /** The number of permits that hold the key. */
  holders: number;
  /** The callbacks of the permits that wait, the oldest first. */
  readonly waiting: Set<() => void>;
}

/** The keys that one login holds. */
class Permit implements Disposable {
  readonly #queues: Map<string, Queue>;
  readonly #signal: AbortSignal;
  readonly #held: string[] = [];

  constructor(queues: Map<string, Queue>, signal: AbortSignal) {
    this.#queues = queues;
    this.#signal = signal;
    // A database that hangs keeps its login running after the login has ended for the client.
    signal.addEventListener('abort', this.#releaseAll);
  }

  /**
   * Resolves when fewer than `atOnce` logins hold the key, and holds it.
   *
   * @throws TemporaryFailure if the signal aborts first.
   * @throws LoginDenied if too many logins wait for the key.
   */
  enter(key: string, atOnce: number): MaybePromise<void> {
    if (this.#signal.aborted) throw this.#endedError();
    const queue = this.#queues.get(key);
    if (queue !== undefined && queue.holders >= atOnce) return this.#wait(key, queue);
    if (queue === undefined) this.#queues.set(key, { holders: 1, waiting: new Set() });
    else queue.holders += 1;
    this.#held.push(key);
  }

  [Symbol.dispose](): void {
    this.#signal.removeEventListener('abort', this.#releaseAll);
    this.#releaseAll();
  }

  readonly #releaseAll = (): void => {
    for (const key of this.#held.splice(0)) {
      const queue = this.#queues.get(key);
      if (queue !== undefined) this.#release(key, queue);
    }
  };

  #release(key: string, queue: Queue): void {
    const [next] = queue.waiting;
    if (next !== undefined) {
      // The next login takes the key directly: a new login cannot overtake the queue.
      queue.waiting.delete(next);
      next();
      return;
    }
    queue.holders -= 1;
    if (queue.holders === 0) this.#queues.delete(key);
  }

  async #wait(key: string, queue: Queue): Promise<void> {
    if (queue.waiting.size >= MAX_WAITING_LOGINS) {
      throw new LoginDenied('too-many', 'too many logins at once');
    }
    const turn = Promise.withResolvers<void>();
    const take = (): void => {
      this.#held.push(key);
      turn.resolve();
    };
    queue.waiting.add(take);
    await orAborted(turn.promise, this.#signal);
    if (queue.waiting.delete(take) || this.#signal.aborted) throw this.#endedError();
  }

  #endedError(): TemporaryFailure {
    const { reason } = this.#signal;
    return new TemporaryFailure('the login ended while it waited for others', { cause: reason });
  }
}

const MAX_WAITING_LOGINS = 256;
