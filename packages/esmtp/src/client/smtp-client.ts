import type { Conversation } from '@postern/conversation';
import type { Channel, Responder } from '@postern/sasl/client';
import type { Reply } from '../reply.ts';
import { SmtpRefusal, SmtpTrouble } from './errors.ts';
import { hearReply } from './hear-reply.ts';
import { Outgoing, type OutgoingEnvelope } from './outgoing.ts';

/** Sees the dialogue line by line, secrets already masked: for a log, or a person. */
export type Trace = (speaker: 'C' | 'S', line: string) => void;

/** A conversation with an SMTP or LMTP server, after its greeting and EHLO. {@link connectSmtp} makes it. One thing at a time. */
export class SmtpClient implements AsyncDisposable {
  readonly conversation: Conversation;
  /** The server's extensions by keyword, in upper case, with their parameters as it wrote them. */
  extensions: ReadonlyMap<string, string> = new Map();
  /** The responder that logged in; undefined if the client has not. */
  responder: Responder | undefined;
  /** True for LMTP: each recipient gets a reply of its own after the message (RFC 2033 §4.2). */
  readonly lmtp: boolean;
  readonly #hostname: string;
  readonly #trace: Trace;

  constructor(conversation: Conversation, hostname: string, lmtp: boolean, trace: Trace) {
    this.conversation = conversation;
    this.lmtp = lmtp;
    this.#hostname = hostname;
    this.#trace = trace;
  }

  /** What SASL has to know of this connection. */
  get channel(): Channel {
    const { tls, remote } = this.conversation.transport;
    const secure = tls?.peerCertificate?.verified === true || isLoopback(remote);
    return { tls, secure, offered: this.extensions.get('AUTH')?.split(' ') ?? [] };
  }

  /** Says EHLO, or LHLO, and notes the extensions; falls back to HELO where the server does not know EHLO (RFC 5321 §3.2). */
  async hello(): Promise<void> {
    const reply = await this.command(`${this.lmtp ? 'LHLO' : 'EHLO'} ${this.#hostname}`);
    if (reply.code === 250) {
      this.extensions = extensionsOf(reply);
      return;
    }
    this.extensions = new Map();
    if (this.lmtp || reply.code < 500) throw new SmtpRefusal('EHLO', reply);
    await this.expect(250, `HELO ${this.#hostname}`);
  }

  /**
   * Starts TLS and says EHLO again (RFC 3207 §4.2). Anything the server said behind its 220 in clear text is not the server's for
   * sure, so it breaks the connection off.
   */
  async startTls(): Promise<void> {
    await this.expect(220, 'STARTTLS');
    if (this.conversation.hasInput)
      throw new SmtpTrouble('the server spoke in clear text after its answer to STARTTLS');
    await this.conversation.startTls();
    await this.hello();
  }

  /** Sends a whole message. Resolves as {@link Outgoing.end} does; rejects with SmtpRefusal if no recipient was accepted. */
  async send(
    envelope: OutgoingEnvelope,
    message: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  ): Promise<readonly Reply[]> {
    const outgoing = await this.open(envelope);
    try {
      for await (const chunk of message) await outgoing.write(chunk);
    } catch (error) {
      outgoing.abort();
      throw error;
    }
    return await outgoing.end();
  }

  /** Begins a message: says the envelope, and DATA. Rejects with SmtpRefusal if the sender, or every recipient, was refused. */
  open(envelope: OutgoingEnvelope): Promise<Outgoing> {
    return Outgoing.open(this, envelope);
  }

  /** Takes leave and closes; also of a server that does not answer any more. */
  async quit(): Promise<void> {
    try {
      await this.command('QUIT');
    } finally {
      await this.conversation.close();
    }
  }

  /** Says a command and hears its reply, whatever it is. What the trace shall not see is said with a masked form. */
  async command(line: string, masked = line): Promise<Reply> {
    this.say(line, masked);
    return await this.reply();
  }

  /** Says a command and hears its reply. Rejects with SmtpRefusal if it is not the one expected. */
  async expect(code: number, line: string): Promise<Reply> {
    const reply = await this.command(line);
    if (reply.code !== code) throw new SmtpRefusal(line.split(' ', 1)[0] as string, reply);
    return reply;
  }

  /** Says a line without waiting for an answer. It leaves before the next reply is waited for. */
  say(line: string, masked = line): void {
    this.#trace('C', masked);
    this.conversation.say(`${line}\r\n`);
  }

  /** Hears a reply. */
  async reply(): Promise<Reply> {
    const reply = await hearReply(this.conversation);
    for (const line of reply.toString().trimEnd().split('\r\n')) this.#trace('S', line);
    return reply;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.quit();
    } catch {
      this.conversation.destroy();
    }
  }
}

function extensionsOf(reply: Reply): ReadonlyMap<string, string> {
  const [, ...lines] = reply.lines;
  const extensions = new Map<string, string>();
  for (const line of lines) {
    // Some servers write `AUTH=` as well, for clients of before the standard.
    const [, keyword = '', parameters = ''] = /^([^ =]+)[ =]?(.*)$/.exec(line) ?? [];
    if (!extensions.has(keyword.toUpperCase())) extensions.set(keyword.toUpperCase(), parameters);
  }
  return extensions;
}

function isLoopback({ family, address }: Conversation['transport']['remote']): boolean {
  return family === 'unix' || address === '::1' || /^(::ffff:)?127\./.test(address);
}
