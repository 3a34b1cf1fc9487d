import type { MaybePromise } from '@postern/core';
import {
  type Disconnection,
  type DisconnectListener,
  disconnectionOf,
  hasDisconnected,
  LoginDenied,
  type Mind,
  TemporaryFailure,
} from '@postern/cred';

/**
 * Limits how many logins run at the same time under one key. Further logins wait in a queue. A key
 * without logins takes no memory.
 */
export class KeyedSemaphore {
  readonly #queues = new Map<string, Queue>();

  /** Returns true if a login can hold the key at once. */
  isFree(key: string, atOnce: number): boolean {
    const queue = this.#queues.get(key);
    return queue === undefined || queue.holders.size < atOnce;
  }

  /** Returns the permit of one login. It ends when it is released or when the login has ended. */
  permit(mind: Mind): Permit {
    return new Permit(this.#queues, mind);
  }
}

interface Queue {
  readonly holders: Set<Permit>;
  /** The callbacks of the permits that wait, the oldest first. */
  readonly waiting: Set<() => void>;
}

/** The keys that one login holds. */
export class Permit implements DisconnectListener {
  readonly #queues: Map<string, Queue>;
  readonly #mind: Mind;
  readonly #held: string[] = [];
  /** Defined once the permit has to end with its login. */
  #disconnection: Disconnection | undefined;
  #hasEnded = false;
  #endWait: (() => void) | undefined;

  constructor(queues: Map<string, Queue>, mind: Mind) {
    this.#queues = queues;
    this.#mind = mind;
  }

  /**
   * Resolves when fewer than `atOnce` logins hold the key, and holds it.
   *
   * @throws TemporaryFailure if the login ends first.
   * @throws LoginDenied if too many logins wait for the key.
   */
  enter(key: string, atOnce: number): MaybePromise<void> {
    if (hasDisconnected(this.#mind)) throw this.#endedError();
    const queue = this.#queues.get(key);
    if (queue !== undefined && queue.holders.size >= atOnce) {
      // A database that hangs keeps its login running after the login has ended for the client.
      for (const holder of queue.holders) holder.#followLogin();
      if (queue.holders.size >= atOnce) return this.#wait(key, queue);
    }
    this.hold(key);
  }

  /** Holds the key at once, however many logins hold it. */
  hold(key: string): void {
    const queue = this.#queues.get(key);
    if (queue === undefined) this.#queues.set(key, { holders: new Set([this]), waiting: new Set() });
    else queue.holders.add(this);
    this.#held.push(key);
  }

  /** Gives all keys to the next logins. */
  release(): void {
    this.#disconnection?.removeDisconnectListener(this);
    this.#releaseAll();
  }

  /** @internal */
  onDisconnect(): void {
    this.#hasEnded = true;
    this.#releaseAll();
    this.#endWait?.();
  }

  /** Releases the keys when the login ends. Only a wait needs it. */
  #followLogin(): void {
    if (this.#disconnection !== undefined) return;
    this.#disconnection = disconnectionOf(this.#mind);
    this.#disconnection.addDisconnectListener(this);
  }

  #releaseAll(): void {
    for (const key of this.#held.splice(0)) {
      const queue = this.#queues.get(key);
      if (queue !== undefined) this.#leave(key, queue);
    }
  }

  #leave(key: string, queue: Queue): void {
    queue.holders.delete(this);
    const [next] = queue.waiting;
    if (next !== undefined) {
      // The next login takes the key directly: a new login cannot overtake the queue.
      queue.waiting.delete(next);
      next();
    } else if (queue.holders.size === 0) {
      this.#queues.delete(key);
    }
  }

  async #wait(key: string, queue: Queue): Promise<void> {
    if (queue.waiting.size >= MAX_WAITING_LOGINS) {
      throw new LoginDenied('too-many', 'too many logins at once');
    }
    this.#followLogin();
    const turn = Promise.withResolvers<void>();
    const take = (): void => {
      queue.holders.add(this);
      this.#held.push(key);
      turn.resolve();
    };
    queue.waiting.add(take);
    if (!this.#hasEnded) {
      this.#endWait = turn.resolve;
      await turn.promise;
      this.#endWait = undefined;
    }
    if (queue.waiting.delete(take) || this.#hasEnded) throw this.#endedError();
  }

  #endedError(): TemporaryFailure {
    const { reason } = this.#mind.signal;
    return new TemporaryFailure('the login ended while it waited for others', { cause: reason });
  }
}

const MAX_WAITING_LOGINS = 256;
