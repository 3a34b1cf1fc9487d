import { TimedOut } from '@postern/conversation';
import { type Envelope, type MailParameters, type Recipient, Rejection, type Reply } from '@postern/esmtp';
import {
  BadMessage,
  mailCommand,
  OutgoingMessage,
  rcptCommand,
  type SmtpClient,
  SmtpReplyError,
  UnsupportedExtension,
} from '@postern/esmtp/client';
import type { Lease } from './lease.ts';
import { isAboutUs, passOn, rejectionOf } from './refusals.ts';
import type { OpenedTransaction } from './relay-message.ts';
import { type MissingExtensions, missingExtensions, unsayable, withoutMissing } from './requirements.ts';
import type { Sender } from './sender.ts';

/** Lends a connection, a new one if `fresh`. Rejects with a RelayError. */
export type Acquire = (fresh: boolean) => Promise<Lease>;

/** What is known of the message when its transaction begins. */
export interface TransactionOptions {
  /** True for a new connection in any case. Default: false. */
  readonly fresh?: boolean;
  /** The size of the whole message in octets. Default: not known, so that the client's word counts. */
  readonly octets?: number;
  /** Breaks the connection off. */
  readonly signal?: AbortSignal;
}

/**
 * A transaction with the next server. Its methods reject with a Rejection if the server has refused and the transaction goes on, with
 * Unsupported if nothing was said, and with anything else if the connection is closed.
 */
export class Transaction {
  readonly sender: Sender;
  /** What the sender declared and the next server lacks. */
  readonly missing: MissingExtensions | undefined;
  readonly #lease: Lease;
  #recipients: readonly { readonly recipient: Recipient; readonly reply: Reply }[] = [];
  #over = false;

  private constructor(lease: Lease, sender: Sender) {
    this.#lease = lease;
    this.sender = sender;
    this.missing = missingExtensions(lease.client, sender);
  }

  /**
   * Says MAIL and RCPT. Recipients may be refused, all of them, too. Where a connection that served
   * before turns out to be at its end, a new one takes its place, once (RFC 5321 §3.8, §4.2.1).
   */
  static async begin(
    acquire: Acquire,
    sender: Sender,
    recipients: readonly Recipient[],
    options: TransactionOptions = {},
  ): Promise<Transaction> {
    const { fresh = false, octets, signal } = options;
    const lease = await acquire(fresh);
    const transaction = new Transaction(lease, sender);
    if (signal !== undefined) transaction.breakOffOn(signal);
    try {
      await transaction.#within(() => transaction.#begin(recipients, octets));
      return transaction;
    } catch (error) {
      transaction.drop();
      if (!lease.reused || !isAboutConnection(error)) throw error;
    }
    return await Transaction.begin(acquire, sender, recipients, { ...options, fresh: true });
  }

  /** False once the connection is lost, or has been taken away. */
  get alive(): boolean {
    return !this.#over;
  }

  /** True if the connection served before: the server may close it after a number of messages. */
  get reused(): boolean {
    return this.#lease.reused;
  }

  /** The client of the connection. */
  get client(): SmtpClient {
    return this.#lease.client;
  }

  /** The answers to RCPT, in the order in which the recipients were named. */
  get replies(): readonly Reply[] {
    return this.#recipients.map(({ reply }) => reply);
  }

  /** True if this transaction is that of the envelope, to the letter. */
  matches({ reversePath, parameters, recipients }: Envelope): boolean {
    if (reversePath !== this.sender.reversePath || parameters !== this.sender.parameters) return false;
    if (recipients.length !== this.#recipients.length) return false;
    return this.#recipients.every(({ recipient, reply }, at) => {
      const other = recipients[at];
      return (
        reply.positive && other?.forwardPath === recipient.forwardPath && other.parameters === recipient.parameters
      );
    });
  }

  /**
   * True if a message of this size can go by this transaction: it is no larger than MAIL said and than
   * the server takes. A new MAIL with the true size gets the server's own answer (RFC 1870 §6.1).
   */
  covers(octets: number): boolean {
    const limit = this.#lease.client.extensions.get('SIZE');
    if (limit === undefined) return true;
    const { size } = this.sender.parameters;
    if (size !== undefined && octets > size + MAX_TRACE_OCTETS) return false;
    return !(Number(limit) > 0 && octets > Number(limit));
  }

  /** Breaks the connection off when the signal aborts, unless the transaction is over by then. */
  breakOffOn(signal: AbortSignal): void {
    if (signal.aborted) this.#lease.destroy();
    else signal.addEventListener('abort', () => this.#lease.destroy(), { once: true });
  }

  /** Says RCPT. */
  add(recipient: Recipient): Promise<void> {
    return this.#within(async () => {
      const { client } = this.#lease;
      const refusal = unsayable(client, recipient);
      if (refusal !== undefined) throw rejectionOf(refusal);
      const reply = await client.command(rcptCommand(client, recipient.forwardPath, recipient.parameters));
      judge('RCPT', reply);
      this.#recipients = [...this.#recipients, { recipient, reply }];
    });
  }

  /** Says DATA, or makes ready for chunks. The connection goes with the message. */
  async data(): Promise<OpenedTransaction> {
    const outgoing = await this.#within(async () => {
      try {
        return await OutgoingMessage.begin(this.#lease.client, this.replies, this.sender.parameters.body);
      } catch (error) {
        if (error instanceof SmtpReplyError) judge('DATA', error.reply);
        throw error;
      }
    });
    this.#over = true;
    return { outgoing, lease: this.#lease };
  }

  /** Forgets the recipients that were refused. */
  forgetRefused(): void {
    this.#recipients = this.#recipients.filter(({ reply }) => reply.positive);
  }

  /** Waits for what the client says next; meanwhile the connection may be taken away. */
  hold(): void {
    this.#lease.hold(() => {
      this.#over = true;
    });
  }

  /** Gives the transaction up, unless it is over. */
  drop(): void {
    if (this.#over) return;
    this.#over = true;
    this.#lease.release();
  }

  async #begin(recipients: readonly Recipient[], octets: number | undefined): Promise<void> {
    const { client } = this.#lease;
    const { reversePath, parameters } = withoutMissing(this.sender, this.missing);
    const refusals = recipients.map((recipient) => unsayable(client, recipient));
    const [mail, ...replies] = await client.commands([
      mailCommand(client, reversePath, withSize(parameters, octets)),
      ...recipients
        .filter((_, index) => refusals[index] === undefined)
        .map(({ forwardPath, parameters }) => rcptCommand(client, forwardPath, parameters)),
    ]);
    judge('MAIL', mail as Reply);
    for (const reply of replies) judgeConnection('RCPT', reply);
    let next = 0;
    this.#recipients = recipients.map((recipient, index) => ({
      recipient,
      reply: refusals[index] ?? (replies[next++] as Reply),
    }));
  }

  async #within<T>(dialogue: () => Promise<T>): Promise<T> {
    this.#lease.resume();
    try {
      return await dialogue();
    } catch (error) {
      if (!(error instanceof Rejection || error instanceof UnsupportedExtension)) {
        this.#over = true;
        this.#lease.destroy();
      }
      throw error;
    }
  }
}

function judge(command: string, reply: Reply): void {
  judgeConnection(command, reply);
  if (!reply.positive) throw rejectionOf(passOn(reply), new SmtpReplyError(command, reply));
}

/** Returns true for an error after which a new connection may do better, and soon enough for our client. */
export function isAboutConnection(error: unknown): boolean {
  if (error instanceof Rejection || error instanceof UnsupportedExtension || error instanceof BadMessage) return false;
  if (error instanceof SmtpReplyError) return isAboutUs(error.reply);
  return !(error instanceof TimedOut);
}

function judgeConnection(command: string, reply: Reply): void {
  if (isAboutUs(reply)) throw new SmtpReplyError(command, reply);
}

/** Before the message is whole its size is what our client said, and the `Received:` field. */
function withSize(parameters: MailParameters, octets: number | undefined): MailParameters {
  if (octets !== undefined) return { ...parameters, size: octets };
  return parameters.size === undefined ? parameters : { ...parameters, size: parameters.size + MAX_TRACE_OCTETS };
}

/** More than our `Received:` field has. */
const MAX_TRACE_OCTETS = 1_024;
