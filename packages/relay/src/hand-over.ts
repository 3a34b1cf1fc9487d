import type { Deadlines, Wait } from '@postern/conversation';
import type { Envelope, NextHop, RecipientResult, Rejection, Reply, ReportResult } from '@postern/esmtp';
import type { ContentScan } from './content-scan.ts';
import { RelayMessage, resultOf } from './relay-message.ts';
import { checkContent } from './requirements.ts';
import type { SpooledContent } from './spooled-content.ts';
import { type Acquire, isAboutConnection, Transaction } from './transaction.ts';

/** What messages need on their way to the next server. */
export interface NextServer {
  readonly host: string;
  readonly acquire: Acquire;
  readonly deadlines: Deadlines;
  /** How long a message may take, in milliseconds, from its client's last octet to the last answer. */
  readonly dataTimeout: number;
  /** Returns the error as the client hears it, and tells the operator of it. */
  readonly explain: (error: unknown) => Rejection;
}

/** One whole message. */
export interface WholeMessage {
  readonly envelope: Envelope;
  readonly content: SpooledContent;
  /** Undefined where the envelope declares no extension that the content could need. */
  readonly scan: ContentScan | undefined;
}

/**
 * Hands one whole message to the next server: MAIL, RCPT, DATA and the octets, as fast as the server
 * takes them. A kept connection that turns out to be broken before the end of data is replaced once:
 * the next server has dropped what it has, so that nothing is delivered twice.
 */
export class HandOver {
  readonly #server: NextServer;
  readonly #message: WholeMessage;
  #transaction: Transaction | undefined;
  #sent: RelayMessage | undefined;

  /** The transaction is that in which the recipients were asked about, if it is the envelope's. */
  constructor(server: NextServer, message: WholeMessage, transaction: Transaction | undefined) {
    this.#server = server;
    this.#message = message;
    this.#transaction = transaction;
  }

  /** What is known of the next server for a recipient; undefined if no server was reached. */
  onward(recipient: number): NextHop | undefined {
    const transaction = this.#transaction;
    if (transaction === undefined) return undefined;
    const { lmtp, extensions } = transaction.client;
    // A server that speaks LMTP delivers what it takes (RFC 2033 §2).
    const success = lmtp ? 'delivered' : 'relayed';
    return {
      host: this.#server.host,
      success: extensions.has('DSN') ? undefined : success,
      reply: this.#replies(transaction)[recipient],
    };
  }

  /** Resolves to the results of the recipients. Rejects with a Rejection if the message failed for all. */
  async run(tell?: ReportResult): Promise<readonly RecipientResult[]> {
    const { deadlines, dataTimeout, explain } = this.#server;
    const breaking = new AbortController();
    const wait = deadlines.wait(dataTimeout * SENDING_SHARE);
    wait.result.catch((reason: unknown) => breaking.abort(reason));
    try {
      return await this.#run(breaking.signal, wait, tell);
    } catch (error) {
      throw explain(breaking.signal.aborted ? breaking.signal.reason : error);
    } finally {
      wait.resolve();
    }
  }

  /** Gives up the transaction in which the recipients were asked about. */
  drop(): void {
    this.#transaction?.drop();
  }

  async #run(signal: AbortSignal, wait: Wait, tell?: ReportResult): Promise<readonly RecipientResult[]> {
    const { deadlines, dataTimeout } = this.#server;
    const sent = await this.#send(signal);
    if (!(sent instanceof RelayMessage)) return sent;
    deadlines.grant(wait, deadlines.remaining(wait) + dataTimeout * (1 - SENDING_SHARE));
    return await sent.end(tell);
  }

  /** Sends all but the end of data, or resolves to the results if the next server refuses every recipient. */
  async #send(signal: AbortSignal): Promise<RelayMessage | readonly RecipientResult[]> {
    const asked = this.#usable();
    const transaction = asked ?? (await this.#begin(signal));
    asked?.breakOffOn(signal);
    try {
      return await this.#sendIn(transaction, signal);
    } catch (error) {
      const isKept = asked !== undefined || transaction.reused;
      if (!isKept || signal.aborted || !isAboutConnection(error)) throw error;
    }
    return await this.#sendIn(await this.#begin(signal, true), signal);
  }

  /** Returns the transaction that has been asked about the recipients, if it still does for the message. */
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
      // The file of the spool may have failed.
      this.#sent.abort();
      throw error;
    }
    return this.#sent;
  }

  /** The answers to RCPT are answers to the message if they are refusals. */
  #replies({ replies }: Transaction): readonly (Reply | undefined)[] {
    return this.#sent?.replies ?? replies.map((reply) => (reply.positive ? undefined : reply));
  }
}

/** The share of the time that may pass before the end of data is said. */
const SENDING_SHARE = 0.5;
