import type { RecipientResult, Rejection, Reply, ReportResult } from '@postern/esmtp';
import type { OutgoingMessage } from '@postern/esmtp/client';
import type { Lease } from './lease.ts';
import { isAboutUs, passOn } from './refusals.ts';

/** A transaction in which the next server has said 354. */
export interface OpenedTransaction {
  readonly outgoing: OutgoingMessage;
  readonly lease: Lease;
}

/** A message on its way to the next server, which has said 354. */
export class RelayMessage {
  readonly #outgoing: OutgoingMessage;
  readonly #lease: Lease;
  readonly #explain: (error: unknown) => Rejection;

  constructor({ outgoing, lease }: OpenedTransaction, explain: (error: unknown) => Rejection) {
    this.#outgoing = outgoing;
    this.#lease = lease;
    this.#explain = explain;
  }

  /** The next server's word on each recipient; undefined if the connection broke before. */
  get replies(): readonly (Reply | undefined)[] {
    return this.#outgoing.replies;
  }

  /**
   * Sends the next octets. After an error the connection is broken off without the end of data, so that
   * the next server drops what it has (RFC 5321 §4.1.1.4).
   */
  async write(chunk: Uint8Array): Promise<void> {
    try {
      await this.#outgoing.write(chunk);
    } catch (error) {
      this.#lease.destroy();
      throw error;
    }
  }

  /** Whom the server has not answered for before the connection broke is told to try again; the others' answers hold. */
  async end(tell?: ReportResult): Promise<readonly RecipientResult[]> {
    try {
      const replies = await this.#outgoing.end((recipient, reply) => tell?.(recipient, resultOf(reply)));
      if (replies.some(isAboutUs)) this.#lease.destroy();
      else this.#lease.release();
      return replies.map(resultOf);
    } catch (error) {
      this.#lease.destroy();
      const { reply } = this.#explain(error);
      return this.#outgoing.replies.map((answer) => (answer === undefined ? reply : resultOf(answer)));
    }
  }

  /** Breaks the connection off without the end of data. */
  abort(): void {
    this.#lease.destroy();
  }
}

/** Returns the result of a recipient for whom this was the next server's reply. */
export function resultOf(reply: Reply): RecipientResult {
  return reply.positive ? undefined : passOn(reply);
}
