import { PeerGone } from '@postern/conversation';
import type { MailParameters, Recipient } from '../delivery.ts';
import type { Mailbox, ReversePath } from '../protocol/address.ts';
import type { Reply } from '../protocol/reply.ts';
import { mailCommand, rcptCommand } from './envelope-commands.ts';
import { CLOSING, SmtpProtocolError, SmtpReplyError } from './errors.ts';
import { BdatFraming, DotStuffedFraming, type Framing } from './framing.ts';
import type { SmtpDialogue } from './smtp-dialogue.ts';

/** The envelope of a message that a client sends. */
export interface OutgoingEnvelope {
  readonly from: ReversePath;
  /** The recipients: at least one. */
  readonly to: readonly (Mailbox | Recipient)[];
  /**
   * The parameters of MAIL. SIZE is sent if the server supports it. 8BITMIME and SMTPUTF8 are
   * required of the server.
   */
  readonly parameters?: Partial<MailParameters>;
}

/** A message that a client is sending: the server has accepted its envelope. */
export class OutgoingMessage {
  /** The reply to each RCPT, in the order of the envelope. */
  readonly recipients: readonly Reply[];
  readonly #client: SmtpDialogue;
  readonly #framing: Framing;
  #messageReplies: readonly Reply[] = [];

  private constructor(client: SmtpDialogue, recipients: readonly Reply[], framing: Framing) {
    this.#client = client;
    this.recipients = recipients;
    this.#framing = framing;
  }

  /**
   * Sends MAIL, RCPT and DATA, in one group if the server offers PIPELINING (RFC 2920). A
   * BINARYMIME message uses BDAT instead of DATA.
   *
   * @throws SmtpReplyError if the sender or all recipients are refused; UnsupportedExtension,
   * BadMessage
   */
  static async open(client: SmtpDialogue, envelope: OutgoingEnvelope): Promise<OutgoingMessage> {
    const { from, to, parameters = {} } = withUtf8(envelope);
    const binary = parameters.body === 'BINARYMIME';
    const commands = [
      mailCommand(client, from, parameters),
      ...to.map((recipient) => rcpt(client, recipient)),
      ...(binary ? [] : ['DATA']),
    ];
    const replies = client.extensions.has('PIPELINING')
      ? await client.commands(commands)
      : await oneByOne(client, commands, to.length);
    const closing = replies.findIndex(({ code }) => code === CLOSING);
    if (closing >= 0) throw await replyErrorOf(client, verbOf(commands[closing]), replies[closing] as Reply);
    const [sender, ...recipients] = replies as [Reply, ...Reply[]];
    const data = recipients.length > to.length ? recipients.pop() : undefined;
    if (data?.code === 354) {
      const outgoing = new OutgoingMessage(client, recipients, new DotStuffedFraming(client));
      if (recipients.some(accepts)) return outgoing;
      // The server accepts data without a recipient. It gets an empty message, whose reply has no
      // meaning (RFC 2920 §3.1).
      await outgoing.#finish(1);
    }
    if (!accepts(sender)) throw await replyErrorOf(client, 'MAIL', sender);
    if (!recipients.some(accepts)) throw await replyErrorOf(client, 'RCPT', recipients[0] as Reply);
    if (binary) return new OutgoingMessage(client, recipients, new BdatFraming(client));
    throw await replyErrorOf(client, 'DATA', data as Reply);
  }

  /**
   * Sends DATA in a transaction whose RCPT commands have these replies, at least one of them
   * positive. Sends nothing for BINARYMIME.
   *
   * @throws SmtpReplyError
   */
  static async begin(
    client: SmtpDialogue,
    recipients: readonly Reply[],
    body: MailParameters['body'],
  ): Promise<OutgoingMessage> {
    if (body === 'BINARYMIME') return new OutgoingMessage(client, recipients, new BdatFraming(client));
    await client.expect(354, 'DATA');
    return new OutgoingMessage(client, recipients, new DotStuffedFraming(client));
  }

  /**
   * The reply for each recipient of the envelope: the refusal of its RCPT, or else the reply to the
   * message. Undefined until that reply arrives.
   */
  get replies(): readonly (Reply | undefined)[] {
    let next = 0;
    return this.recipients.map((reply) => {
      if (!accepts(reply)) return reply;
      return this.#messageReplies[this.#client.lmtp ? next++ : 0];
    });
  }

  /**
   * Sends the next octets. Resolves when the connection accepts more.
   *
   * @throws BadMessage for octets that must not be sent; SmtpReplyError if the server refuses a
   * chunk, or the message before its end
   */
  async write(chunk: Uint8Array): Promise<void> {
    if (chunk.length === 0) return;
    try {
      await this.#framing.write(chunk);
    } catch (error) {
      const refusal = error instanceof PeerGone ? this.#client.lastRefusal() : undefined;
      throw refusal === undefined ? error : new SmtpReplyError('message', refusal);
    }
  }

  /**
   * Ends the message. Resolves to a reply for each recipient, like {@link replies}. For LMTP it
   * calls `report` for each reply as it arrives, with the index of the recipient in the envelope.
   *
   * @throws SmtpProtocolError, ConversationError only if the dialogue breaks
   */
  async end(report?: (recipient: number, reply: Reply) => void): Promise<readonly Reply[]> {
    if (!this.#client.lmtp) {
      await this.#finish(1);
    } else {
      const accepted = this.recipients.flatMap((reply, index) => (accepts(reply) ? [index] : []));
      await this.#finish(accepted.length, (reply, index) => report?.(accepted[index] as number, reply));
    }
    return this.replies as readonly Reply[];
  }

  /** Closes the connection: the only way to abort a message that has begun. */
  abort(): void {
    this.#client.conversation.destroy();
  }

  async #finish(count: number, report?: (reply: Reply, index: number) => void): Promise<void> {
    try {
      await this.#framing.end();
    } catch (error) {
      if (!(error instanceof SmtpReplyError)) throw error;
      // The server refused a chunk, and so the message. Only RSET defines the state of the server
      // (RFC 3030 §2).
      await this.#client.command('RSET');
      this.#messageReplies = Array<Reply>(count).fill(error.reply);
      for (const [index, reply] of this.#messageReplies.entries()) report?.(reply, index);
    }
    while (this.#messageReplies.length < count) {
      const reply = await this.#client.lastReply();
      if (reply.code >= 300 && reply.code < 400)
        throw new SmtpProtocolError('the server asks for more after the message');
      // No other reply follows a 421 (RFC 5321 §3.8).
      const end = reply.code === CLOSING ? count : this.#messageReplies.length + 1;
      while (this.#messageReplies.length < end) {
        this.#messageReplies = [...this.#messageReplies, reply];
        report?.(reply, this.#messageReplies.length - 1);
      }
    }
  }
}

function verbOf(command = ''): string {
  return command.split(' ', 1)[0] as string;
}

function accepts({ code }: Reply): boolean {
  return code < 300;
}

function rcpt(client: SmtpDialogue, to: Mailbox | Recipient): string {
  return 'forwardPath' in to ? rcptCommand(client, to.forwardPath, to.parameters) : rcptCommand(client, to, {});
}

/**
 * Sends the commands one by one. Stops after a refused sender, and before DATA if all recipients
 * are refused.
 */
async function oneByOne(
  client: SmtpDialogue,
  commands: readonly string[],
  recipients: number,
): Promise<readonly Reply[]> {
  const replies: Reply[] = [];
  for (const [index, command] of commands.entries()) {
    if (index > recipients && !replies.slice(1).some(accepts)) break;
    const reply = await client.command(command);
    replies.push(reply);
    if ((index === 0 && !accepts(reply)) || reply.code === CLOSING) break;
  }
  return replies;
}

/**
 * Resets the transaction of the server and returns the error. After a 421 it closes the connection
 * instead.
 */
async function replyErrorOf(client: SmtpDialogue, command: string, reply: Reply): Promise<SmtpReplyError> {
  try {
    if (reply.code === CLOSING) client.conversation.destroy();
    else await client.command('RSET');
  } catch {
    client.conversation.destroy();
  }
  return new SmtpReplyError(command, reply);
}

/** Adds SMTPUTF8 if an address is not ASCII (RFC 6531 §3.2). */
function withUtf8(envelope: OutgoingEnvelope): OutgoingEnvelope {
  const addresses = [envelope.from, ...envelope.to.map((to) => ('forwardPath' in to ? to.forwardPath : to))];
  if (addresses.every((address) => address === null || address.isAscii)) return envelope;
  return { ...envelope, parameters: { ...envelope.parameters, smtpUtf8: true } };
}
