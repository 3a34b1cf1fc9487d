import { Readable } from 'node:stream';
import type { MaybePromise } from '@postern/cred';
import type { Message } from '@postern/esmtp';

/**
 * A message as a Node stream for a function. Each write waits for the reader: memory holds at most
 * {@link HIGH_WATER_MARK_OCTETS} and one chunk. The message is delivered when the function has
 * resolved and the stream has ended. If the function resolves without a reader of the stream, the
 * rest of the message is dropped.
 */
export class StreamedMessage implements Message {
  readonly #stream: Readable;
  readonly #delivered: Promise<void>;
  #failed = false;
  /** Resumes a write that waits for the reader. */
  #resume = (): void => {};

  constructor(deliver: (stream: Readable) => MaybePromise<void>) {
    this.#stream = new Readable({ highWaterMark: HIGH_WATER_MARK_OCTETS, read: () => this.#resume() });
    // The reader's own read fails at an abort. Without a listener the event `error` would end the
    // process.
    this.#stream.on('error', () => {}).on('close', () => this.#resume());
    this.#delivered = call(deliver, this.#stream);
    this.#delivered.then(
      () => {
        // A function may return after it has piped the stream: drop the rest only without a reader.
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
    // A function that destroyed the stream has decided without the rest.
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
    // The function may have to remove a partly stored message.
    await this.#delivered.catch(() => {});
  }
}

/** Calls the function. A function that throws is one that rejects. */
async function call(deliver: (stream: Readable) => MaybePromise<void>, stream: Readable): Promise<void> {
  await deliver(stream);
}

const HIGH_WATER_MARK_OCTETS = 64 * 1024;
