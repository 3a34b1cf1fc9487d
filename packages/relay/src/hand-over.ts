import type { Deadlines, Wait } from '@postern/conversation';
import type { Envelope, NextHop, RecipientResult, Rejection, Reply, ReportResult } from '@postern/esmtp';
import type { ContentScan } from './content-scan.ts';
import { RelayMessage, resultOf } from './relay-message.ts';
import { checkContent } from './requirements.ts';
import type { SpooledContent } from './spooled-content.ts';
import { type Acquire, isAboutConnection, Transaction } from './transaction.ts';

/** The next server, as a message uses it. */
export interface NextServer {
  readonly host: string;
  readonly acquire: Acquire;
  readonly deadlines: Deadlines;
  /** The most milliseconds from the client's last octet to the last reply of the next server. */
  readonly dataTimeout: number;
  /** Returns the Rejection for the client, and reports an error that the operator must know. */
  readonly explain: (error: unknown) => Rejection;
}

/** A message that the client has sent to its end. */
export interface WholeMessage {
  readonly envelope: Envelope;
  readonly content: SpooledContent;
  /** The scan of the content; undefined if the envelope declares neither SMTPUTF8 nor 8BITMIME. */
  readonly scan: ContentScan | undefined;
}

/**
 * Sends one complete message to the next server: MAIL, RCPT, DATA and the octets. If a kept
 * connection breaks before the end of data, the message is sent once more on a new connection. The
 * next server has discarded the unfinished message, so that it is not delivered twice.
 */
export class HandOver {
  readonly #server: NextServer;
  readonly #message: WholeMessage;
  #transaction: Transaction | undefined;
  #sent: RelayMessage | undefined;

  /** Takes the transaction of the recipient callout, if it belongs to the envelope. */
  constructor(server: NextServer, message: WholeMessage, transaction: Transaction | undefined) {
    this.#server = server;
    this.#message = message;
    this.#transaction = transaction;
  }

  /** Returns the next hop of a recipient; undefined if no server was reached. */
  nextHop(recipient: number): NextHop | undefined {
    const transaction = this.#transaction;
    if (transaction === undefined) return undefined;
    const { lmtp, extensions } = transaction.client;
    // An LMTP server delivers the message itself (RFC 2033 §2).
    const success = lmtp ? 'delivered' : 'relayed';
    return {
      host: this.#server.host,
      success: extensions.has('DSN') ? undefined : success,
      reply: this.#replies(transaction)[recipient],
    };
  }

  /**
   * Sends the message. Resolves to the result of each recipient.
   *
   * @throws Rejection if the message failed for all recipients
   */
  async run(report?: ReportResult): Promise<readonly RecipientResult[]> {
    const { deadlines, dataTimeout, explain } = this.#server;
    const timeout = new AbortController();
    const wait = deadlines.wait(dataTimeout * MAX_SENDING_SHARE);
    wait.result.catch((reason: unknown) => timeout.abort(reason));
    try {
      return await this.#run(timeout.signal, wait, report);
    } catch (error) {
      throw explain(timeout.signal.aborted ? timeout.signal.reason : error);
    } finally {
      wait.resolve();
    }
  }

  /** Drops the transaction of the recipient callout. */
  drop(): void {
    this.#transaction?.drop();
  }

  async #run(signal: AbortSignal, wait: Wait, report?: ReportResult): Promise<readonly RecipientResult[]> {
    const { deadlines, dataTimeout } = this.#server;
    const sent = await this.#send(signal);
    if (!(sent instanceof RelayMessage)) return sent;
    deadlines.grant(wait, deadlines.remaining(wait) + dataTimeout * (1 - MAX_SENDING_SHARE));
    return await sent.end(report);
  }

  /**
   * Sends the message without the end of data. Resolves to the results if the next server refuses
   * all recipients.
   */
  async #send(signal: AbortSignal): Promise<RelayMessage | readonly RecipientResult[]> {
    const kept = this.#usable();
    const transaction = kept ?? (await this.#begin(signal));
    kept?.closeOn(signal);
    try {
      return await this.#sendIn(transaction, signal);
    } catch (error) {
      const isKept = kept !== undefined || transaction.reused;
      if (!isKept || signal.aborted || !isAboutConnection(error)) throw error;
    }
    return await this.#sendIn(await this.#begin(signal, true), signal);
  }

  /**
   * Returns the transaction of the recipient callout, if it is open and allows a message of this
   * size.
   */
  #usable(): Transaction | undefined {
    const transaction = this.#transaction;
    if (transaction?.alive && transaction.covers(this.#message.content.octets)) return transaction;
    transaction?.drop();
    this.#transaction = undefined;
    return undefined;
  }

  async #begin(signal: AbortSignal, fresh = false): Promise<Transaction> {
    const { envelope, content } = this.#message;
    const options = { fresh, octets: content.octets, signal };
    this.#transaction = undefined;
    this.#transaction = await Transaction.begin(this.#server.acquire, envelope, envelope.recipients, options);
    return this.#transaction;
  }

  async #sendIn(transaction: Transaction, signal: AbortSignal): Promise<RelayMessage | readonly RecipientResult[]> {
    const { content, scan } = this.#message;
    if (transaction.replies.every(({ positive }) => !positive)) {
      transaction.drop();
      return transaction.replies.map(resultOf);
    }
    try {
      if (scan !== undefined && transaction.missing !== undefined) checkContent(scan, transaction.missing);
      const opened = await transaction.data();
      this.#sent = new RelayMessage(opened, (error) => this.#server.explain(signal.aborted ? signal.reason : error));
    } catch (error) {
      transaction.drop();
      throw error;
    }
    try {
      for await (const piece of content.read()) await this.#sent.write(piece);
    } catch (error) {
      // The file of the spool has failed, or the connection is closed already.
      this.#sent.abort();
      throw error;
    }
    return this.#sent;
  }

  /** Returns the reply for each recipient: a refusal of RCPT, or the reply to the message. */
  #replies({ replies }: Transaction): readonly (Reply | undefined)[] {
    return this.#sent?.replies ?? replies.map((reply) => (reply.positive ? undefined : reply));
  }
}

/** The share of `dataTimeout` that may pass before the end of data. */
const MAX_SENDING_SHARE = 0.5;
