import type { Clock, MaybePromise } from '@postern/core';
import { TemporaryFailure } from '@postern/cred';
import type { HashWork } from '../secrets/secret.ts';

/** The limits of a {@link ResourceQueue}. */
export interface ResourceLimits {
  /** The memory of all running tasks together, in octets. */
  readonly memory: number;
  /** The number of tasks that run at the same time in each place. */
  readonly slots: Readonly<Record<QueuedPlace, number>>;
  /** The number of tasks that wait. */
  readonly maxWaiting: number;
  /** The milliseconds for which a task waits. */
  readonly timeout: number;
  readonly clock: Clock;
}

/** A place with slots. */
type QueuedPlace = Exclude<HashWork['place'], 'here'>;

/**
 * Runs tasks within limits of memory and of slots, in the order in which they arrive. A task that
 * waits for memory keeps later tasks from memory, and a task that waits for its place keeps later
 * tasks from that place. So small tasks cannot overtake a big one for ever.
 */
export class ResourceQueue {
  readonly #limits: ResourceLimits;
  readonly #running: Record<QueuedPlace, number> = { pool: 0, thread: 0 };
  #memory = 0;
  readonly #waiting: Waiting[] = [];
  #closed = false;

  constructor(limits: ResourceLimits) {
    this.#limits = limits;
  }

  /**
   * Runs the task as soon as its resources are free. A task that has begun keeps them until it has
   * settled, and its result counts also if the signal has aborted. A throttle then learns of a
   * wrong password whose client has disconnected.
   *
   * @throws TemporaryFailure if the work needs more memory than the limit, or if the signal aborts
   * before the task begins. So does a queue that is closed or has `maxWaiting` tasks, and a task
   * that waits for `timeout`.
   */
  run<T>(work: HashWork, task: () => MaybePromise<T>, signal?: AbortSignal): Promise<T> {
    if (this.#closed) return Promise.reject(new TemporaryFailure(CLOSED));
    if (signal?.aborted) return Promise.reject(abortError(signal));
    const { place, memory } = work;
    if (place === 'here') return start(task);
    if (memory > this.#limits.memory) return Promise.reject(tooBig(memory, this.#limits.memory));

    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const begin = (): void => {
      this.#take(place, memory, 1);
      const end = (): void => {
        this.#take(place, -memory, -1);
        this.#admit();
      };
      void start(task).then(resolve, reject).then(end);
    };
    const waiting: Waiting = { place, memory, begin, reject, timer: undefined };
    this.#waiting.push(waiting);
    this.#admit();
    if (this.#waiting.includes(waiting)) this.#startWaiting(waiting);

    if (signal === undefined) return promise;
    const onAbort = (): void => this.#refuse(waiting, abortError(signal));
    signal.addEventListener('abort', onAbort, { once: true });
    return promise.finally(() => signal.removeEventListener('abort', onAbort));
  }

  /** Rejects all tasks that wait, and every later one. Tasks that have begun run to their end. */
  close(): void {
    this.#closed = true;
    for (const { timer, reject } of this.#waiting.splice(0)) {
      timer?.[Symbol.dispose]();
      reject(new TemporaryFailure(CLOSED));
    }
  }

  #startWaiting(waiting: Waiting): void {
    const { maxWaiting, timeout, clock } = this.#limits;
    if (this.#waiting.length > maxWaiting) {
      this.#refuse(waiting, new TemporaryFailure(`${maxWaiting} hashes are waiting already`));
      return;
    }
    waiting.timer = clock.after(timeout, () => {
      this.#refuse(waiting, new TemporaryFailure(`the hash has not begun within ${timeout} ms`));
    });
  }

  /** Takes the task out of the queue and rejects it, unless it has begun. */
  #refuse(waiting: Waiting, error: TemporaryFailure): void {
    const index = this.#waiting.indexOf(waiting);
    if (index < 0) return;
    this.#waiting.splice(index, 1);
    waiting.timer?.[Symbol.dispose]();
    waiting.reject(error);
    // The tasks behind it may have waited only for their turn.
    this.#admit();
  }

  /** Begins each task that its resources and its turn permit. */
  #admit(): void {
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      next.timer?.[Symbol.dispose]();
      next.begin();
    }
  }

  /** Takes the first task that may begin out of the queue. */
  #next(): Waiting | undefined {
    const { memory, slots } = this.#limits;
    const full: Record<QueuedPlace, boolean> = {
      pool: this.#running.pool >= slots.pool,
      thread: this.#running.thread >= slots.thread,
    };
    let memoryFull = false;
    for (const [index, waiting] of this.#waiting.entries()) {
      if (full.pool && full.thread) return undefined;
      if (full[waiting.place]) continue;
      const fits = waiting.memory === 0 || (!memoryFull && this.#memory + waiting.memory <= memory);
      if (fits) return this.#waiting.splice(index, 1)[0];
      memoryFull = true;
      full[waiting.place] = true;
    }
    return undefined;
  }

  #take(place: QueuedPlace, memory: number, slots: 1 | -1): void {
    this.#running[place] += slots;
    this.#memory += memory;
  }
}

/** A task in the queue. */
interface Waiting {
  readonly place: QueuedPlace;
  readonly memory: number;
  readonly begin: () => void;
  readonly reject: (error: TemporaryFailure) => void;
  timer: Disposable | undefined;
}

/** Calls the task now, and turns what it throws into a rejection. */
async function start<T>(task: () => MaybePromise<T>): Promise<T> {
  return task();
}

function tooBig(memory: number, limit: number): TemporaryFailure {
  return new TemporaryFailure(
    `a stored hash needs ${mebibytes(memory)}, and the option \`memory\` permits ${mebibytes(limit)} for all hashes`,
  );
}

function mebibytes(octets: number): string {
  return `${Math.ceil(octets / 2 ** 20)} MiB`;
}

function abortError({ reason }: AbortSignal): TemporaryFailure {
  return new TemporaryFailure('the login ended before its hash was computed', { cause: reason });
}

const CLOSED = 'the hash queue is closed';
