import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { TemporaryFailure } from '@postern/cred';
import type { HashJob, HashReply } from './hash-job.ts';

/** A worker thread that computes one hash at a time. */
export class WorkerThread {
  readonly #worker: Worker;
  #job: PromiseWithResolvers<HashReply> | undefined;
  #error: TemporaryFailure | undefined;

  constructor(file: URL) {
    this.#worker = new Worker(file, { name: 'hashes', execArgv: [], resourceLimits: { maxOldGenerationSizeMb: 64 } });
    this.#worker.unref();
    this.#worker.on('message', (reply: HashReply) => this.#job?.resolve(reply));
    this.#worker.on('error', (error) => this.#fail(failure(error, file)));
    this.#worker.on('exit', (code) => this.#fail(new TemporaryFailure(`a hash thread ended with code ${code}`)));
  }

  /** False from the moment at which the thread ends, by itself or by {@link WorkerThread.end}. */
  get alive(): boolean {
    return this.#error === undefined;
  }

  /**
   * Computes a hash, and keeps the process alive meanwhile.
   *
   * @throws TemporaryFailure if the thread ends before, or cannot use the setting.
   */
  async compute(job: HashJob): Promise<string> {
    if (this.#error !== undefined) throw this.#error;
    this.#job = Promise.withResolvers();
    this.#worker.ref();
    try {
      // The memory of the password moves to the thread: no copy stays here.
      this.#worker.postMessage(job, [job.password.buffer]);
      const hash = await this.#job.promise;
      if (hash === undefined) throw new TemporaryFailure(`a stored ${job.algorithm} hash is malformed`);
      return hash;
    } finally {
      this.#job = undefined;
      this.#worker.unref();
    }
  }

  /** Ends the thread, also in the middle of a hash, which rejects with the error. */
  async end(error: TemporaryFailure): Promise<void> {
    this.#fail(error);
    await this.#worker.terminate();
  }

  #fail(error: TemporaryFailure): void {
    this.#error ??= error;
    this.#job?.reject(error);
  }
}

function failure(error: Error & { readonly code?: unknown }, file: URL): TemporaryFailure {
  const isMissing = error.code === 'MODULE_NOT_FOUND' || error.code === 'ERR_MODULE_NOT_FOUND';
  const message = isMissing
    ? `${fileURLToPath(file)} is missing, so no bcrypt, SHA-crypt or MD5-crypt hash can be compared: ` +
      'leave @postern/users out of the bundle, as an external package'
    : 'a hash thread failed';
  return new TemporaryFailure(message, { cause: error });
}
