import { Readable } from 'node:stream';
import type { MaybePromise } from '@postern/cred';
import type { Message } from '@postern/esmtp';

/**
 * A message as a Node stream for a function. Each write waits until the reader wants more: at most 64 KiB and one chunk lie in memory.
 * The message is delivered when the function has resolved and the stream has ended. If the function resolves and nothing reads the
 * stream, the rest of the message is dropped.
 */
export class StreamedMessage implements Message {
  readonly #stream: Readable;
  readonly #delivered: Promise<void>;
  #failed = false;
  /** Resumes a write that waits for the reader. */
  #resume = (): void => {};

  constructor(deliver: (stream: Readable) => MaybePromise<void>) {
    this.#stream = new Readable({ highWaterMark: HIGH_WATER_MARK, read: () => this.#resume() });
    // The reader hears of an abort from its own read; without a listener `error` would end the process.
    this.#stream.on('error', () => {}).on('close', () => this.#resume());
    this.#delivered = call(deliver, this.#stream);
    this.#delivered.then(
      () => {
        // A function that returns at once may have piped the stream: only where nothing reads it, the rest is dropped.
        if (this.#stream.readableFlowing !== true) this.#stream.resume();
      },
      () => {
        this.#failed = true;
        this.#resume();
      },
    );
  }

  write(chunk: Uint8Array): MaybePromise<void> {
    if (this.#failed) return this.#delivered;
    // A function that left the stream early has decided without the rest.
    if (this.#stream.destroyed || this.#stream.push(chunk)) return undefined;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#resume = resolve;
    return promise;
  }

  async end(): Promise<void> {
    const closed = Promise.withResolvers<void>();
    if (this.#stream.closed) closed.resolve();
    this.#stream.once('close', closed.resolve);
    if (!this.#stream.destroyed) this.#stream.push(null);
    await this.#delivered;
    await closed.promise;
  }

  async abort(reason: Error): Promise<void> {
    this.#stream.destroy(reason);
    // The function may have to remove what it has stored so far.
    await this.#delivered.catch(() => {});
  }
}

/** A function that throws fails like one that rejects. */
async function call(deliver: (stream: Readable) => MaybePromise<void>, stream: Readable): Promise<void> {
  await deliver(stream);
}

/** Octets. */
const HIGH_WATER_MARK = 64 * 1024;
