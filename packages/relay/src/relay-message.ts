import type { RecipientResult, Rejection, Reply, ReportResult } from '@postern/esmtp';
import type { OutgoingMessage } from '@postern/esmtp/client';
import type { Lease } from './lease.ts';
import { isConnectionReply, replyForClient } from './next-server-replies.ts';

/** A transaction in which the next server has replied 354. */
export interface OpenedTransaction {
  readonly outgoing: OutgoingMessage;
  readonly lease: Lease;
}

/** A message that the relay is sending to the next server. */
export class RelayMessage {
  readonly #outgoing: OutgoingMessage;
  readonly #lease: Lease;
  readonly #explain: (error: unknown) => Rejection;

  constructor({ outgoing, lease }: OpenedTransaction, explain: (error: unknown) => Rejection) {
    this.#outgoing = outgoing;
    this.#lease = lease;
    this.#explain = explain;
  }

  /** The next server's reply for each recipient; undefined until it arrives. */
  get replies(): readonly (Reply | undefined)[] {
    return this.#outgoing.replies;
  }

  /**
   * Sends the next octets. After an error the connection is closed without the end of data, so that
   * the next server discards the message (RFC 5321 §4.1.1.4).
   */
  async write(chunk: Uint8Array): Promise<void> {
    try {
      await this.#outgoing.write(chunk);
    } catch (error) {
      this.#lease.destroy();
      throw error;
    }
  }

  /**
   * Ends the message. If the connection breaks, recipients without a reply get a temporary failure;
   * the other replies count.
   */
  async end(report?: ReportResult): Promise<readonly RecipientResult[]> {
    try {
      const replies = await this.#outgoing.end((recipient, reply) => report?.(recipient, resultOf(reply)));
      if (replies.some(isConnectionReply)) this.#lease.destroy();
      else this.#lease.release();
      return replies.map(resultOf);
    } catch (error) {
      this.#lease.destroy();
      const { reply: failure } = this.#explain(error);
      return this.#outgoing.replies.map((reply) => (reply === undefined ? failure : resultOf(reply)));
    }
  }

  /** Closes the connection without the end of data. */
  abort(): void {
    this.#lease.destroy();
  }
}

/**
 * Returns the result of a recipient with this reply of the next server. A positive reply usually
 * has its queue id.
 */
export function resultOf(reply: Reply): RecipientResult {
  return reply.positive ? reply : replyForClient(reply);
}
