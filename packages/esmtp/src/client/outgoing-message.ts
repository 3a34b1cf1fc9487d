import { PeerGone } from '@postern/conversation';
import type { MailParameters, Recipient } from '../delivery.ts';
import type { Mailbox, ReversePath } from '../protocol/address.ts';
import type { Reply } from '../protocol/reply.ts';
import { mailCommand, rcptCommand } from './envelope-commands.ts';
import { CLOSING, SmtpProtocolError, SmtpReplyError } from './errors.ts';
import { BdatFraming, DotStuffedFraming, type Framing } from './framing.ts';
import type { SmtpClient } from './smtp-client.ts';

/** The envelope of a message that a client sends. */
export interface OutgoingEnvelope {
  readonly from: ReversePath;
  /** At least one. */
  readonly to: readonly (Mailbox | Recipient)[];
  /** What is to be said with MAIL. A size is said where the server wants to know; 8BITMIME and SMTPUTF8 the server must have. */
  readonly parameters?: Partial<MailParameters>;
}

/** A message on its way to a server that waits for it. */
export class OutgoingMessage {
  /** The server's answer to each RCPT, in the envelope's order. */
  readonly recipients: readonly Reply[];
  readonly #client: SmtpClient;
  readonly #framing: Framing;
  #answers: readonly Reply[] = [];

  private constructor(client: SmtpClient, recipients: readonly Reply[], framing: Framing) {
    this.#client = client;
    this.recipients = recipients;
    this.#framing = framing;
  }

  /** Says MAIL, RCPT and DATA, in one go where the server has PIPELINING (RFC 2920). A BINARYMIME message goes in chunks instead. */
  static async open(client: SmtpClient, envelope: OutgoingEnvelope): Promise<OutgoingMessage> {
    const { from, to, parameters = {} } = withUtf8(envelope);
    const binary = parameters.body === 'BINARYMIME';
    const commands = [
      mailCommand(client, from, parameters),
      ...to.map((one) => rcpt(client, one)),
      ...(binary ? [] : ['DATA']),
    ];
    const replies = client.extensions.has('PIPELINING')
      ? await client.commands(commands)
      : await oneByOne(client, commands, to.length);
    const closing = replies.findIndex(({ code }) => code === CLOSING);
    if (closing >= 0) throw await refusal(client, verbOf(commands[closing]), replies[closing] as Reply);
    const [sender, ...recipients] = replies as [Reply, ...Reply[]];
    const data = recipients.length > to.length ? recipients.pop() : undefined;
    if (data?.code === 354) {
      const outgoing = new OutgoingMessage(client, recipients, new DotStuffedFraming(client));
      if (recipients.some(accepts)) return outgoing;
      // A server that wants data for nobody: it gets an empty message, and what it says to that does not matter (RFC 2920 §3.1).
      await outgoing.#finish(1);
    }
    if (!accepts(sender)) throw await refusal(client, 'MAIL', sender);
    if (!recipients.some(accepts)) throw await refusal(client, 'RCPT', recipients[0] as Reply);
    if (binary) return new OutgoingMessage(client, recipients, new BdatFraming(client));
    throw await refusal(client, 'DATA', data as Reply);
  }

  /**
   * Says DATA, in a transaction in which RCPT was answered so, at least once positively; nothing, where the body is BINARYMIME.
   * Rejects with SmtpReplyError.
   */
  static async begin(
    client: SmtpClient,
    recipients: readonly Reply[],
    body: MailParameters['body'],
  ): Promise<OutgoingMessage> {
    if (body === 'BINARYMIME') return new OutgoingMessage(client, recipients, new BdatFraming(client));
    await client.expect(354, 'DATA');
    return new OutgoingMessage(client, recipients, new DotStuffedFraming(client));
  }

  /**
   * What is known of each recipient of the envelope: the answer to its RCPT where that was a refusal, the answer to the message
   * else, undefined as long as there is none.
   */
  get replies(): readonly (Reply | undefined)[] {
    let next = 0;
    return this.recipients.map((reply) => {
      if (!accepts(reply)) return reply;
      return this.#answers[this.#client.lmtp ? next++ : 0];
    });
  }

  /**
   * Sends the next bytes, and resolves when the connection takes more. Rejects with BadMessage for bytes that must not go out, with
   * SmtpReplyError if the server refuses a chunk, or the message before its end.
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
   * Ends the message. Resolves to a reply for each recipient, as {@link replies} has them; those by LMTP are told of, with the recipient's
   * place in the envelope, when they come. Rejects only if the dialogue breaks.
   */
  async end(tell?: (recipient: number, reply: Reply) => void): Promise<readonly Reply[]> {
    if (!this.#client.lmtp) {
      await this.#finish(1);
    } else {
      const accepted = this.recipients.flatMap((reply, at) => (accepts(reply) ? [at] : []));
      await this.#finish(accepted.length, (answer, at) => tell?.(accepted[at] as number, answer));
    }
    return this.replies as readonly Reply[];
  }

  /** Breaks the connection off: the only way to take back a message that has begun. */
  abort(): void {
    this.#client.conversation.destroy();
  }

  async #finish(answers: number, tell?: (answer: Reply, at: number) => void): Promise<void> {
    try {
      await this.#framing.end();
    } catch (error) {
      if (!(error instanceof SmtpReplyError)) throw error;
      // A chunk was refused, and with it the message. What the server thinks of it now only RSET makes sure (RFC 3030 §2).
      await this.#client.command('RSET');
      this.#answers = Array<Reply>(answers).fill(error.reply);
      for (const [at, answer] of this.#answers.entries()) tell?.(answer, at);
    }
    while (this.#answers.length < answers) {
      const answer = await this.#client.lastReply();
      if (answer.code >= 300 && answer.code < 400)
        throw new SmtpProtocolError('the server wants more than the message');
      // Behind a 421 no other answer comes (RFC 5321 §3.8).
      const more = answer.code === CLOSING ? answers - this.#answers.length : 1;
      for (let count = 0; count < more; count++) {
        this.#answers = [...this.#answers, answer];
        tell?.(answer, this.#answers.length - 1);
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

function rcpt(client: SmtpClient, to: Mailbox | Recipient): string {
  return 'forwardPath' in to ? rcptCommand(client, to.forwardPath, to.parameters) : rcptCommand(client, to, {});
}

/** Stops where going on makes no sense: after a refused sender, and before DATA if every recipient was refused. */
async function oneByOne(
  client: SmtpClient,
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

/** The refusal, once the server has forgotten the transaction. If it has left, the refusal was its last word. */
async function refusal(client: SmtpClient, command: string, reply: Reply): Promise<SmtpReplyError> {
  try {
    if (reply.code === CLOSING) client.conversation.destroy();
    else await client.command('RSET');
  } catch {
    client.conversation.destroy();
  }
  return new SmtpReplyError(command, reply);
}

/** An address beyond ASCII goes only to a server that takes it (RFC 6531 §3.2). */
function withUtf8(envelope: OutgoingEnvelope): OutgoingEnvelope {
  const addresses = [envelope.from, ...envelope.to.map((one) => ('forwardPath' in one ? one.forwardPath : one))];
  if (addresses.every((address) => address === null || address.isAscii)) return envelope;
  return { ...envelope, parameters: { ...envelope.parameters, smtpUtf8: true } };
}
