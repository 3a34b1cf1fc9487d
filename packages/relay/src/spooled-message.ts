import { isPromise, type MaybePromise } from '@postern/core';
import type { Message, NextHop, RecipientResult, Rejection, ReportResult } from '@postern/esmtp';
import { HandOver, type NextServer, type WholeMessage } from './hand-over.ts';
import type { Transaction } from './transaction.ts';

/**
 * A message that the client is sending. It needs no connection until its end. The transaction of
 * the recipient callout stays open meanwhile if no other message needs its connection.
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
    return this.#handOver.nextHop(recipient);
  }

  /** @throws Rejection (452 4.3.1) if the spool has no room for the chunk. */
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

  async end(report?: ReportResult): Promise<readonly RecipientResult[]> {
    try {
      return await this.#handOver.run(report);
    } finally {
      await this.#message.content.close();
    }
  }

  /** Discards the message. The next server gets none of its octets. */
  async abort(): Promise<void> {
    this.#handOver.drop();
    await this.#message.content.close();
  }
}
