import type { Message, Onward, RecipientResult, Rejection, Reply, TellResult } from '@postern/esmtp';
import type { Outgoing } from '@postern/esmtp/client';
import { ContentScan } from './content-scan.ts';
import type { Lease } from './lease.ts';
import { isAboutUs, passOn } from './refusals.ts';
import { checkContent, type MissingExtensions } from './requirements.ts';

/** A transaction in which the next server has said 354. */
export interface OpenedTransaction {
  readonly outgoing: Outgoing;
  readonly lease: Lease;
  /** What the message must not need. */
  readonly missing: MissingExtensions | undefined;
}

/** A message on its way to the next server, which has said 354. */
export class RelayMessage implements Message {
  /** What was written has left. */
  readonly retains = false;
  readonly #outgoing: Outgoing;
  readonly #lease: Lease;
  readonly #host: string;
  readonly #explain: (error: unknown) => Rejection;
  readonly #missing: MissingExtensions | undefined;
  readonly #scan: ContentScan | undefined;

  constructor({ outgoing, lease, missing }: OpenedTransaction, host: string, explain: (error: unknown) => Rejection) {
    this.#outgoing = outgoing;
    this.#lease = lease;
    this.#host = host;
    this.#explain = explain;
    this.#missing = missing;
    this.#scan = missing && new ContentScan();
  }

  /** A server that speaks LMTP delivers what it takes (RFC 2033 §2). */
  onward(recipient: number): Onward {
    const { lmtp, extensions } = this.#lease.client;
    const success = lmtp ? 'delivered' : 'relayed';
    return {
      host: this.#host,
      success: extensions.has('DSN') ? undefined : success,
      reply: this.#outgoing.replies[recipient],
    };
  }

  async write(chunk: Uint8Array): Promise<void> {
    try {
      this.#check(chunk);
      await this.#outgoing.write(chunk);
    } catch (error) {
      this.#lease.destroy();
      throw this.#explain(error);
    }
  }

  /** Whom the server has not answered for before the connection broke is told to try again; the others' answers hold. */
  async end(tell?: TellResult): Promise<readonly RecipientResult[]> {
    try {
      const replies = await this.#outgoing.end((recipient, reply) => tell?.(recipient, result(reply)));
      if (replies.some(isAboutUs)) this.#lease.destroy();
      else this.#lease.release();
      return replies.map(result);
    } catch (error) {
      this.#lease.destroy();
      const { reply } = this.#explain(error);
      return this.#outgoing.replies.map((answer) => (answer === undefined ? reply : result(answer)));
    }
  }

  /** Throws a Rejection for octets that the next server cannot take, before any of the chunk leaves. */
  #check(chunk: Uint8Array): void {
    if (this.#scan === undefined || this.#missing === undefined) return;
    this.#scan.push(chunk);
    checkContent(this.#scan, this.#missing);
  }

  /** The end of data was not said, so the next server drops what it has (RFC 5321 §4.1.1.4). */
  abort(): void {
    this.#lease.destroy();
  }
}

function result(reply: Reply): RecipientResult {
  return reply.positive ? undefined : passOn(reply);
}
