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
import { isConnectionReply, rejectionOf, replyForClient } from './next-server-replies.ts';
import type { OpenedTransaction } from './relay-message.ts';
import { type MissingExtensions, missingExtensions, replyIfUnsayable, withoutMissing } from './requirements.ts';
import type { Sender } from './sender.ts';

/** Leases a connection; a new one if `fresh`. Rejects with a RelayError. */
export type Acquire = (fresh: boolean) => Promise<Lease>;

/** The options of {@link Transaction.begin}. */
export interface TransactionOptions {
  /** True to require a new connection. Default: false. */
  readonly fresh?: boolean;
  /**
   * The size of the message in octets. Default: unknown; the SIZE that the client declared counts.
   */
  readonly octets?: number;
  /** Closes the connection when it aborts. */
  readonly signal?: AbortSignal;
}

/**
 * A transaction with the next server. Its methods reject with a Rejection if the server has refused
 * and the transaction continues, and with UnsupportedExtension if no command was sent. After any
 * other error the connection is closed.
 */
export class Transaction {
  readonly sender: Sender;
  /** The extensions that the sender declared and the next server lacks. */
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
   * Sends MAIL and RCPT. The next server may refuse some or all recipients. If a reused connection
   * is closed, the transaction begins once more on a new one (RFC 5321 §3.8, §4.2.1).
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
    if (signal !== undefined) transaction.closeOn(signal);
    try {
      await transaction.#within(() => transaction.#begin(recipients, octets));
      return transaction;
    } catch (error) {
      transaction.drop();
      if (!lease.reused || !isAboutConnection(error)) throw error;
    }
    return await Transaction.begin(acquire, sender, recipients, { ...options, fresh: true });
  }

  /** False once the connection is lost or reclaimed. */
  get alive(): boolean {
    return !this.#over;
  }

  /**
   * True if the connection had an earlier lease. The server may close it after a number of
   * messages.
   */
  get reused(): boolean {
    return this.#lease.reused;
  }

  /** The client of the connection. */
  get client(): SmtpClient {
    return this.#lease.client;
  }

  /** The replies to RCPT, in the order of the recipients. */
  get replies(): readonly Reply[] {
    return this.#recipients.map(({ reply }) => reply);
  }

  /** Returns true if the transaction has exactly the sender and the recipients of the envelope. */
  matches({ reversePath, parameters, recipients }: Envelope): boolean {
    if (reversePath !== this.sender.reversePath || parameters !== this.sender.parameters) return false;
    if (recipients.length !== this.#recipients.length) return false;
    return this.#recipients.every(({ recipient, reply }, index) => {
      const other = recipients[index];
      return (
        reply.positive && other?.forwardPath === recipient.forwardPath && other.parameters === recipient.parameters
      );
    });
  }

  /**
   * Returns true if a message of this size fits: it is no larger than the SIZE of MAIL and the
   * server's limit. Otherwise a new MAIL with the true size gets the server's own reply (RFC 1870
   * §6.1).
   */
  covers(octets: number): boolean {
    const limit = this.#lease.client.extensions.get('SIZE');
    if (limit === undefined) return true;
    const { size } = this.sender.parameters;
    if (size !== undefined && octets > size + MAX_TRACE_OCTETS) return false;
    return !(Number(limit) > 0 && octets > Number(limit));
  }

  /** Closes the connection when the signal aborts, unless the transaction is over. */
  closeOn(signal: AbortSignal): void {
    if (signal.aborted) this.#lease.destroy();
    else signal.addEventListener('abort', () => this.#lease.destroy(), { once: true });
  }

  /** Sends RCPT for one more recipient. */
  add(recipient: Recipient): Promise<void> {
    return this.#within(async () => {
      const { client } = this.#lease;
      const refusal = replyIfUnsayable(client, recipient);
      if (refusal !== undefined) throw rejectionOf(refusal);
      const reply = await client.command(rcptCommand(client, recipient.forwardPath, recipient.parameters));
      checkReply('RCPT', reply);
      this.#recipients = [...this.#recipients, { recipient, reply }];
    });
  }

  /** Sends DATA, or prepares BDAT. The message takes over the lease. */
  async data(): Promise<OpenedTransaction> {
    const outgoing = await this.#within(async () => {
      try {
        return await OutgoingMessage.begin(this.#lease.client, this.replies, this.sender.parameters.body);
      } catch (error) {
        if (error instanceof SmtpReplyError) checkReply('DATA', error.reply);
        throw error;
      }
    });
    this.#over = true;
    return { outgoing, lease: this.#lease };
  }

  /** Removes the refused recipients. */
  forgetRefused(): void {
    this.#recipients = this.#recipients.filter(({ reply }) => reply.positive);
  }

  /** Waits for the client's next command. The pool may reclaim the connection meanwhile. */
  hold(): void {
    this.#lease.hold(() => {
      this.#over = true;
    });
  }

  /** Ends the transaction, unless it is over. */
  drop(): void {
    if (this.#over) return;
    this.#over = true;
    this.#lease.release();
  }

  async #begin(recipients: readonly Recipient[], octets: number | undefined): Promise<void> {
    const { client } = this.#lease;
    const { reversePath, parameters } = withoutMissing(this.sender, this.missing);
    const refusals = recipients.map((recipient) => replyIfUnsayable(client, recipient));
    const [mail, ...replies] = await client.commands([
      mailCommand(client, reversePath, withSize(parameters, octets)),
      ...recipients
        .filter((_, index) => refusals[index] === undefined)
        .map(({ forwardPath, parameters }) => rcptCommand(client, forwardPath, parameters)),
    ]);
    checkReply('MAIL', mail as Reply);
    for (const reply of replies) checkConnectionReply('RCPT', reply);
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

function checkReply(command: string, reply: Reply): void {
  checkConnectionReply(command, reply);
  if (!reply.positive) throw rejectionOf(replyForClient(reply), new SmtpReplyError(command, reply));
}

/** Returns true for an error after which a new connection may succeed in time for the client. */
export function isAboutConnection(error: unknown): boolean {
  if (error instanceof Rejection || error instanceof UnsupportedExtension || error instanceof BadMessage) return false;
  if (error instanceof SmtpReplyError) return isConnectionReply(error.reply);
  return !(error instanceof TimedOut);
}

function checkConnectionReply(command: string, reply: Reply): void {
  if (isConnectionReply(reply)) throw new SmtpReplyError(command, reply);
}

/**
 * Sets SIZE: the true size of a complete message, or the declared size and the room for the
 * `Received:` field.
 */
function withSize(parameters: MailParameters, octets: number | undefined): MailParameters {
  if (octets !== undefined) return { ...parameters, size: octets };
  return parameters.size === undefined ? parameters : { ...parameters, size: parameters.size + MAX_TRACE_OCTETS };
}

/** The most octets of the `Received:` field that this server adds. */
const MAX_TRACE_OCTETS = 1_024;
