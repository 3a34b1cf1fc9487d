import type { MaybePromise } from '@postern/core';
import { LoginDenied, TemporaryFailure } from '@postern/cred';

/** Lets so many at once through under each key, the others wait in a line. Keeps nothing of keys that nobody is inside of. */
export class KeyedSemaphore {
  readonly #lanes = new Map<string, Queue>();

  /** Somebody who will be inside of some lanes, and leaves them all when disposed of, or when the signal aborts. */
  visit(signal: AbortSignal): Permit {
    return new Permit(this.#lanes, signal);
  }
}

interface Queue {
  inside: number;
  readonly waiting: Set<() => void>;
}

class Permit implements Disposable {
  readonly #lanes: Map<string, Queue>;
  readonly #signal: AbortSignal;
  readonly #entered: string[] = [];

  constructor(lanes: Map<string, Queue>, signal: AbortSignal) {
    this.#lanes = lanes;
    this.#signal = signal;
    // Work that goes on when nobody waits for it any more, in a database that hangs, is not to keep others from theirs.
    signal.addEventListener('abort', this.#leaveAll);
  }

  /** Resolves when there is room. Rejects with a TemporaryFailure if the login ends before, with LoginDenied if the line is too long. */
  enter(key: string, atOnce: number): MaybePromise<void> {
    if (this.#signal.aborted) throw this.#ended();
    const lane = this.#lanes.get(key);
    if (lane === undefined) {
      this.#lanes.set(key, { inside: 1, waiting: new Set() });
    } else if (lane.inside < atOnce) {
      lane.inside += 1;
    } else {
      return this.#wait(key, lane);
    }
    this.#entered.push(key);
  }

  [Symbol.dispose](): void {
    this.#signal.removeEventListener('abort', this.#leaveAll);
    this.#leaveAll();
  }

  readonly #leaveAll = (): void => {
    for (const key of this.#entered.splice(0)) {
      const lane = this.#lanes.get(key);
      if (lane !== undefined) this.#leave(key, lane);
    }
  };

  #leave(key: string, lane: Queue): void {
    const [next] = lane.waiting;
    if (next !== undefined) {
      // The place is handed on and never free, so that nobody who comes now gets in before those who wait.
      lane.waiting.delete(next);
      next();
    } else {
      lane.inside -= 1;
      if (lane.inside === 0) this.#lanes.delete(key);
    }
  }

  #ended(): TemporaryFailure {
    return new TemporaryFailure('the login ended while it waited for others', { cause: this.#signal.reason });
  }

  async #wait(key: string, lane: Queue): Promise<void> {
    if (lane.waiting.size >= LONGEST_LINE) throw new LoginDenied('too-many', 'too many logins at once');
    const turn = Promise.withResolvers<void>();
    const enter = (): void => {
      this.#entered.push(key);
      turn.resolve();
    };
    const goAway = (): void => {
      lane.waiting.delete(enter);
      turn.reject(this.#ended());
    };
    lane.waiting.add(enter);
    this.#signal.addEventListener('abort', goAway);
    try {
      await turn.promise;
    } finally {
      this.#signal.removeEventListener('abort', goAway);
    }
  }
}

const LONGEST_LINE = 256;
