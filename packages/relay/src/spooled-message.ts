import { isPromise, type MaybePromise } from '@postern/core';
import type { Message, NextHop, RecipientResult, Rejection, ReportResult } from '@postern/esmtp';
import { HandOver, type NextServer, type WholeMessage } from './hand-over.ts';
import type { Transaction } from './transaction.ts';

/**
 * A message that waits for its last octet, and needs no connection before. The recipients' transaction
 * stays open meanwhile if no other message needs its connection.
 */
export class SpooledMessage implements Message {
  /** The spool copies the octets, or writes them to a file. */
  readonly keepsChunks = false;
  readonly #message: WholeMessage;
  readonly #explain: (error: unknown) => Rejection;
  readonly #handOver: HandOver;

  constructor(server: NextServer, message: WholeMessage, transaction: Transaction | undefined) {
    this.#message = message;
    this.#explain = server.explain;
    this.#handOver = new HandOver(server, message, transaction);
  }

  nextHop(recipient: number): NextHop | undefined {
    return this.#handOver.onward(recipient);
  }

  /** @throws Rejection 452 4.3.1 if there is no room for the chunk. */
  write(chunk: Uint8Array): MaybePromise<void> {
    const { content, scan } = this.#message;
    scan?.push(chunk);
    try {
      const written = content.append(chunk);
      if (!isPromise(written)) return;
      return written.catch((error: unknown) => {
        throw this.#explain(error);
      });
    } catch (error) {
      throw this.#explain(error);
    }
  }

  async end(tell?: ReportResult): Promise<readonly RecipientResult[]> {
    try {
      return await this.#handOver.run(tell);
    } finally {
      await this.#message.content.close();
    }
  }

  /** Nothing goes to the next server. */
  async abort(): Promise<void> {
    this.#handOver.drop();
    await this.#message.content.close();
  }
}
