import {
  type Envelope,
  type MailParameters,
  type Recipient,
  Rejection,
  type Reply,
  type ReversePath,
} from '@postern/esmtp';
import { mailCommand, Outgoing, rcptCommand, SmtpRefusal, Unsupported } from '@postern/esmtp/client';
import type { Lease } from './lease.ts';
import { isAboutUs, passOn, rejectionOf } from './refusals.ts';
import type { Smarthost } from './smarthost.ts';

/** What MAIL says. */
export interface Sender {
  readonly reversePath: ReversePath;
  readonly parameters: MailParameters;
}

/**
 * A transaction with the next server. Its methods reject with a Rejection if the server has refused and the transaction goes on, with
 * Unsupported if nothing was said, and with anything else if the connection is closed.
 */
export class Transaction {
  readonly sender: Sender;
  readonly #lease: Lease;
  #recipients: readonly { readonly recipient: Recipient; readonly reply: Reply }[] = [];
  #over = false;

  private constructor(lease: Lease, sender: Sender) {
    this.#lease = lease;
    this.sender = sender;
  }

  /** Says MAIL and RCPT. Recipients may be refused, all of them, too. */
  static async begin(smarthost: Smarthost, sender: Sender, recipients: readonly Recipient[]): Promise<Transaction> {
    const lease = await smarthost.acquire();
    const transaction = new Transaction(lease, sender);
    try {
      await transaction.#within(() => transaction.#begin(recipients));
      return transaction;
    } catch (error) {
      transaction.drop();
      throw error;
    }
  }

  /** False once the connection is lost, or has been taken away. */
  get alive(): boolean {
    return !this.#over;
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

  /** Says RCPT. */
  add(recipient: Recipient): Promise<void> {
    return this.#within(async () => {
      const { client } = this.#lease;
      const reply = await client.command(rcptCommand(client, recipient.forwardPath, recipient.parameters));
      judge('RCPT', reply);
      this.#recipients = [...this.#recipients, { recipient, reply }];
    });
  }

  /** Says DATA, or makes ready for chunks. The connection goes with the message. */
  async data(): Promise<{ outgoing: Outgoing; lease: Lease }> {
    const outgoing = await this.#within(async () => {
      try {
        return await Outgoing.begin(this.#lease.client, this.replies, this.sender.parameters.body);
      } catch (error) {
        if (error instanceof SmtpRefusal) judge('DATA', error.reply);
        throw error;
      }
    });
    this.#over = true;
    return { outgoing, lease: this.#lease };
  }

  /** Waits for what the client says next; meanwhile the connection may be taken away. Recipients that were refused are forgotten. */
  hold(): void {
    this.#recipients = this.#recipients.filter(({ reply }) => reply.positive);
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

  async #begin(recipients: readonly Recipient[]): Promise<void> {
    const { client } = this.#lease;
    const [mail, ...replies] = await client.commands([
      mailCommand(client, this.sender.reversePath, withTrace(this.sender.parameters)),
      ...recipients.map(({ forwardPath, parameters }) => rcptCommand(client, forwardPath, parameters)),
    ]);
    judge('MAIL', mail as Reply);
    for (const reply of replies) judgeConnection('RCPT', reply);
    this.#recipients = recipients.map((recipient, at) => ({ recipient, reply: replies[at] as Reply }));
  }

  async #within<T>(dialogue: () => Promise<T>): Promise<T> {
    this.#lease.resume();
    try {
      return await dialogue();
    } catch (error) {
      if (!(error instanceof Rejection || error instanceof Unsupported)) {
        this.#over = true;
        this.#lease.destroy();
      }
      throw error;
    }
  }
}

function judge(command: string, reply: Reply): void {
  judgeConnection(command, reply);
  if (!reply.positive) throw rejectionOf(passOn(reply), new SmtpRefusal(command, reply));
}

function judgeConnection(command: string, reply: Reply): void {
  if (isAboutUs(reply)) throw new SmtpRefusal(command, reply);
}

/** The message will be larger than the client said, by the `Received:` field. */
function withTrace(parameters: MailParameters): MailParameters {
  return parameters.size === undefined ? parameters : { ...parameters, size: parameters.size + TRACE };
}

/** Octets: more than our `Received:` field has. */
const TRACE = 1024;
