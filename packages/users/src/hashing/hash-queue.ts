import { availableParallelism } from 'node:os';
import { type Clock, type MaybePromise, systemClock } from '@postern/core';
import { isPassword } from '@postern/sasl';
import type { HashThreads, HashWork, PasswordHash } from '../secrets/secret.ts';
import { ResourceQueue } from './resource-queue.ts';
import { WorkerThreads } from './worker-threads.ts';

/** The limits of a {@link HashQueue}. */
export interface HashQueueOptions {
  /**
   * The memory in octets of all hashes that are computed at the same time. Default: 1 GiB, the
   * memory of the biggest hash that `parseSecret` accepts.
   */
  readonly memory?: number;
  /**
   * The number of hashes that are computed at the same time on libuv's pool. Default: two threads
   * of the pool stay free, and there are at most as many hashes as processors.
   */
  readonly poolSlots?: number;
  /** The number of threads for hashes in JavaScript. Default: one processor stays free. */
  readonly threads?: number;
  /**
   * The number of hashes that wait. Default: 256. At 30 ms a hash, two slots compute 256 hashes in
   * 4 seconds, within `timeout`. Each takes at most 10 KiB of memory.
   */
  readonly maxWaiting?: number;
  /**
   * The milliseconds for which a hash waits until it begins. Default: 8,000. Postfix waits 10
   * seconds for the reply of its SASL server.
   */
  readonly timeout?: number;
  /** Measures the timeouts. Default: the system's clock. */
  readonly clock?: Clock;
}

/**
 * Computes password hashes away from the event loop, within limits of memory, processors and time.
 * Tasks begin in the order of their arrival. Each one runs alone if it needs all of the memory.
 *
 * Node computes argon2, scrypt and PBKDF2 on the pool of libuv, in which file accesses and
 * `dns.lookup` also wait their turn. At least two threads of the pool are therefore never used for
 * hashes. `UV_THREADPOOL_SIZE` sets the size of the pool. Hashes in JavaScript, such as bcrypt, run
 * in worker threads, which start when needed and end after a minute without work.
 *
 * @example
 * ```ts
 * import { HashQueue, type PasswordHash } from '@postern/users';
 *
 * declare const hash: PasswordHash;
 * await using queue = new HashQueue({ memory: 256 * 2 ** 20 });
 * console.log(await queue.verify(hash, 's3cret'));
 * ```
 */
export class HashQueue implements AsyncDisposable {
  readonly #queue: ResourceQueue;
  readonly #threads: WorkerThreads;

  /**
   * @throws RangeError if a limit is not a positive whole number, or if `poolSlots` exceeds the
   * size of libuv's pool less two.
   */
  constructor(options: HashQueueOptions = {}) {
    const {
      memory = 2 ** 30,
      poolSlots = Math.min(maxPoolSlots(), availableParallelism()),
      threads = Math.max(1, availableParallelism() - 1),
      maxWaiting = 256,
      timeout = 8_000,
      clock = systemClock,
    } = options;
    for (const [name, value] of Object.entries({ memory, poolSlots, threads, timeout })) checkLimit(name, value);
    if (maxWaiting !== 0) checkLimit('maxWaiting', maxWaiting);
    checkPoolSlots(poolSlots);
    this.#queue = new ResourceQueue({
      memory,
      slots: { pool: poolSlots, thread: threads },
      maxWaiting,
      timeout,
      clock,
    });
    this.#threads = new WorkerThreads({ threads, clock });
  }

  /**
   * Resolves to true if the hash is the password's. A text that no server accepts as a password
   * (empty, with NUL, over 4,096 octets) equals no hash and reaches no library. `false` then
   * resolves at once, which reveals nothing about the user: the answer depends on the text alone.
   *
   * @throws TemporaryFailure as {@link HashQueue.run} does.
   */
  async verify(hash: PasswordHash, password: string, signal?: AbortSignal): Promise<boolean> {
    if (!isPassword(password)) return false;
    const compare = async (threads: HashThreads): Promise<boolean> => {
      // A buffer from Node's pool would leave the password among other data.
      const octets = Buffer.allocUnsafeSlow(Buffer.byteLength(password));
      octets.write(password);
      try {
        return await hash.compare(octets, threads);
      } finally {
        octets.fill(0);
      }
    };
    return this.run(hash.work, compare, signal);
  }

  /**
   * Runs the task when the resources of its work are free, and resolves to its result. Work `here`
   * runs at once. If the signal aborts, a waiting task leaves the queue. A task that has begun
   * cannot be interrupted: its resources are taken until it ends, and its result counts.
   *
   * @throws TemporaryFailure if the work needs more memory than the queue has. So does a full or a
   * closed queue, a task that has not begun within `timeout`, and a thread that fails.
   */
  run<T>(work: HashWork, task: (threads: HashThreads) => MaybePromise<T>, signal?: AbortSignal): Promise<T> {
    return this.#queue.run(work, () => task(this.#threads), signal);
  }

  /**
   * Rejects the hashes that wait, and ends the threads with the hashes that they compute. Hashes on
   * libuv's pool run to their end. Later calls reject with `TemporaryFailure`.
   */
  async close(): Promise<void> {
    this.#queue.close();
    await this.#threads.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function checkLimit(name: string, value: number): void {
  const max = name === 'timeout' ? MAX_TIMER_MS : Number.MAX_SAFE_INTEGER;
  if (Number.isInteger(value) && value > 0 && value <= max) return;
  throw new RangeError(`${name} must be a whole number from 1 to ${max}, not ${value}`);
}

function checkPoolSlots(poolSlots: number): void {
  const max = maxPoolSlots();
  if (poolSlots <= max) return;
  throw new RangeError(
    `poolSlots must be at most ${max}, not ${poolSlots}: libuv's pool has ${poolSize()} threads, and DNS look-ups and ` +
      `file accesses need two of them. The environment variable UV_THREADPOOL_SIZE sets the size of the pool`,
  );
}

function maxPoolSlots(): number {
  return Math.max(1, poolSize() - FREE_POOL_THREADS);
}

/** Returns the size of the pool as libuv reads it when the pool starts: uv_threadpool.c. */
function poolSize(): number {
  const text = process.env['UV_THREADPOOL_SIZE'];
  if (text === undefined) return DEFAULT_POOL_THREADS;
  const size = Number.parseInt(text, 10) || 1;
  return Math.min(size < 0 ? MAX_POOL_THREADS : size, MAX_POOL_THREADS);
}

/** The threads of libuv's pool that hashes never take. */
const FREE_POOL_THREADS = 2;

/** The size of libuv's pool without UV_THREADPOOL_SIZE. */
const DEFAULT_POOL_THREADS = 4;

/** The largest size of libuv's pool. */
const MAX_POOL_THREADS = 1024;

/** The longest delay of a timer in milliseconds. */
const MAX_TIMER_MS = 2 ** 31 - 1;
