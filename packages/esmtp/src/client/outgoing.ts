import type { Mailbox, ReversePath } from '../address.ts';
import type { Reply } from '../reply.ts';
import { DotStuffer } from './dot-stuffer.ts';
import { SmtpRefusal, SmtpTrouble } from './errors.ts';
import type { SmtpClient } from './smtp-client.ts';

/** The envelope of a message that a client sends. */
export interface OutgoingEnvelope {
  readonly from: ReversePath;
  /** At least one. */
  readonly to: readonly Mailbox[];
  /** The message's size in octets, if it is known: said where the server wants to know (RFC 1870). */
  readonly size?: number;
  /** True if the message has octets above 127; needs 8BITMIME (RFC 6152). */
  readonly eightBit?: boolean;
  /** True if the envelope or the header has UTF-8 in it; needs SMTPUTF8 (RFC 6531). */
  readonly smtpUtf8?: boolean;
}

/** A message on its way to a server that has said 354. */
export class Outgoing {
  /** The server's answer to each RCPT, in the envelope's order. */
  readonly recipients: readonly Reply[];
  readonly #client: SmtpClient;
  readonly #stuffer = new DotStuffer();

  private constructor(client: SmtpClient, recipients: readonly Reply[]) {
    this.#client = client;
    this.recipients = recipients;
  }

  /** Says MAIL, RCPT and DATA, in one go where the server has PIPELINING (RFC 2920). */
  static async open(client: SmtpClient, envelope: OutgoingEnvelope): Promise<Outgoing> {
    const commands = [
      mail(client, envelope),
      ...envelope.to.map((mailbox) => `RCPT TO:<${mailbox.toString()}>`),
      'DATA',
    ];
    const replies = client.extensions.has('PIPELINING')
      ? await together(client, commands)
      : await oneByOne(client, commands);
    const [sender, ...recipients] = replies as [Reply, ...Reply[]];
    const data = recipients.length > envelope.to.length ? recipients.pop() : undefined;
    if (data?.code === 354) {
      const outgoing = new Outgoing(client, recipients);
      if (recipients.some(accepts)) return outgoing;
      // A server that wants data for nobody: it gets an empty message, and what it says to that does not matter (RFC 2920 §3.1).
      await outgoing.#finish(1);
    }
    if (!sender.positive) throw await refusal(client, 'MAIL', sender);
    if (!recipients.some(accepts)) throw await refusal(client, 'RCPT', recipients[0] as Reply);
    throw await refusal(client, 'DATA', data as Reply);
  }

  /** Sends the next bytes, and resolves when the connection takes more. */
  async write(chunk: Uint8Array): Promise<void> {
    const { transport } = this.#client.conversation;
    await this.#client.conversation.flush();
    for (const piece of this.#stuffer.push(chunk)) await transport.write(piece);
  }

  /**
   * Ends the message. Resolves to a reply for each recipient of the envelope: the answer to its RCPT where that was a refusal, the
   * answer to the message else. Rejects only if the dialogue breaks.
   */
  async end(): Promise<readonly Reply[]> {
    const accepted = this.recipients.filter(accepts).length;
    const answers = await this.#finish(this.#client.lmtp ? accepted : 1);
    let next = 0;
    return this.recipients.map((reply) => {
      if (!reply.positive) return reply;
      return answers[this.#client.lmtp ? next++ : 0] as Reply;
    });
  }

  /** Breaks the connection off: the only way to take back a message that has begun. */
  abort(): void {
    this.#client.conversation.destroy();
  }

  async #finish(answers: number): Promise<readonly Reply[]> {
    this.#client.conversation.say(this.#stuffer.end());
    const replies: Reply[] = [];
    while (replies.length < answers) replies.push(await this.#client.reply());
    return replies;
  }
}

function accepts(reply: Reply): boolean {
  return reply.positive;
}

function mail(client: SmtpClient, { from, size, eightBit, smtpUtf8 }: OutgoingEnvelope): string {
  const words = [`MAIL FROM:<${from?.toString() ?? ''}>`];
  if (size !== undefined && client.extensions.has('SIZE')) words.push(`SIZE=${size}`);
  if (eightBit) words.push(needs(client, '8BITMIME', 'BODY=8BITMIME'));
  if (smtpUtf8) words.push(needs(client, 'SMTPUTF8', 'SMTPUTF8'));
  return words.join(' ');
}

function needs(client: SmtpClient, extension: string, parameter: string): string {
  if (!client.extensions.has(extension))
    throw new SmtpTrouble(`the message needs ${extension}, which the server has not`);
  return parameter;
}

async function together(client: SmtpClient, commands: readonly string[]): Promise<readonly Reply[]> {
  for (const command of commands) client.say(command);
  const replies: Reply[] = [];
  while (replies.length < commands.length) replies.push(await client.reply());
  return replies;
}

/** Stops where going on makes no sense: after a refused sender, and before DATA if every recipient was refused. */
async function oneByOne(client: SmtpClient, commands: readonly string[]): Promise<readonly Reply[]> {
  const replies: Reply[] = [];
  for (const [index, command] of commands.entries()) {
    if (index === commands.length - 1 && !replies.slice(1).some(accepts)) break;
    const reply = await client.command(command);
    replies.push(reply);
    if (index === 0 && !reply.positive) break;
  }
  return replies;
}

/** The refusal, once the server has forgotten the transaction. */
async function refusal(client: SmtpClient, command: string, reply: Reply): Promise<SmtpRefusal> {
  await client.command('RSET');
  return new SmtpRefusal(command, reply);
}
