import type { Conversation } from '@postern/conversation';
import { isLocal } from '@postern/core';
import type { Channel, Responder } from '@postern/sasl/client';
import { Reply } from '../protocol/reply.ts';
import { BadMessage, CLOSING, SmtpProtocolError, SmtpReplyError } from './errors.ts';
import { hearReply, lastRefusal } from './hear-reply.ts';
import { type OutgoingEnvelope, OutgoingMessage } from './outgoing-message.ts';

/** Sees the dialogue line by line, secrets already masked: for a log, or a person. */
export type DialogueLogger = (speaker: 'C' | 'S', line: string) => void;

/** How a client behaves. */
export interface SmtpClientParts {
  readonly hostname: string;
  readonly lmtp: boolean;
  readonly trace: DialogueLogger;
  /** How long the server may take for its answer to a message, in milliseconds. */
  readonly dataTimeout: number;
}

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
  readonly #trace: DialogueLogger;
  readonly #dataTimeout: number;

  constructor(conversation: Conversation, { hostname, lmtp, trace, dataTimeout }: SmtpClientParts) {
    this.conversation = conversation;
    this.lmtp = lmtp;
    this.#hostname = hostname;
    this.#trace = trace;
    this.#dataTimeout = dataTimeout;
  }

  /** What SASL has to know of this connection. */
  get channel(): Channel {
    const { tls, remote } = this.conversation.transport;
    const secure = tls?.peerCertificate?.verified === true || isLocal(remote);
    return { tls, secure, offered: this.extensions.get('AUTH')?.split(' ').filter(Boolean) ?? [] };
  }

  /** Says EHLO, or LHLO, and notes the extensions; falls back to HELO where the server does not know EHLO (RFC 5321 §3.2). */
  async hello(): Promise<void> {
    const reply = await this.command(`${this.lmtp ? 'LHLO' : 'EHLO'} ${this.#hostname}`);
    if (reply.code === 250) {
      this.extensions = extensionsOf(reply);
      return;
    }
    this.extensions = new Map();
    if (this.lmtp || reply.code < 500) throw new SmtpReplyError('EHLO', reply);
    await this.expect(250, `HELO ${this.#hostname}`);
  }

  /**
   * Starts TLS and says EHLO again (RFC 3207 §4.2). Anything the server said behind its 220 in clear text is not the server's for
   * sure, so it breaks the connection off.
   */
  async startTls(): Promise<void> {
    await this.expect(220, 'STARTTLS');
    if (this.conversation.hasInput)
      throw new SmtpProtocolError('the server spoke in clear text after its answer to STARTTLS');
    await this.conversation.startTls();
    await this.hello();
  }

  /** Sends a whole message. Resolves as {@link OutgoingMessage.end} does; rejects with SmtpReplyError if no recipient was accepted. */
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

  /** Begins a message: says the envelope, and DATA. Rejects with SmtpReplyError if the sender, or every recipient, was refused. */
  open(envelope: OutgoingEnvelope): Promise<OutgoingMessage> {
    return OutgoingMessage.open(this, envelope);
  }

  /** Takes leave and closes; also of a server that does not answer any more. */
  async quit(): Promise<void> {
    try {
      await this.command('QUIT');
    } finally {
      await this.conversation.close();
    }
  }

  /**
   * Says a command and hears its reply, whatever it is. What the trace shall not see is said with a masked form; a refusal that repeats
   * the last word of such a command, or its beginning, is masked as well.
   */
  async command(line: string, masked = line): Promise<Reply> {
    this.say(line, masked);
    return await this.reply(masked === line ? undefined : line.slice(line.lastIndexOf(' ') + 1));
  }

  /**
   * Says commands, in groups where the server has PIPELINING (RFC 2920), and hears all of their replies,
   * whatever they are. A 421 is the server's last: it answers the commands behind it as well (RFC 5321 §3.8).
   */
  async commands(lines: readonly string[]): Promise<readonly Reply[]> {
    const group = this.extensions.has('PIPELINING') ? GROUP : 1;
    const replies: Reply[] = [];
    for (let at = 0; at < lines.length; at += group) {
      const said = lines.slice(at, at + group);
      for (const line of said) this.say(line);
      for (const _ of said) {
        const reply = await this.reply();
        if (reply.code === CLOSING) return [...replies, ...Array<Reply>(lines.length - replies.length).fill(reply)];
        replies.push(reply);
      }
    }
    return replies;
  }

  /** Says a command and hears its reply. Rejects with SmtpReplyError if it is not the one expected. */
  async expect(code: number, line: string): Promise<Reply> {
    const reply = await this.command(line);
    if (reply.code !== code) throw new SmtpReplyError(line.split(' ', 1)[0] as string, reply);
    return reply;
  }

  /** Says a line without waiting for an answer. It leaves before the next reply is waited for. Throws BadMessage if it is more than a line. */
  say(line: string, masked = line): void {
    if (STRAY.test(line) || !line.isWellFormed()) throw new BadMessage('a command with a CR, LF or NUL in it');
    this.#trace('C', masked);
    this.conversation.say(`${line}\r\n`);
  }

  /** Hears a reply. A refusal that has the secret in it loses its words. */
  async reply(secret?: string): Promise<Reply> {
    const masked = (text: string): string => (secret !== undefined && repeats(text, secret) ? MASK : text);
    const heard = await hearReply(this.conversation, masked);
    const isTelling = secret !== undefined && !heard.positive && heard.lines.some((line) => repeats(line, secret));
    return this.#traced(isTelling ? new Reply(heard.code, heard.enhanced, MASK) : heard);
  }

  /**
   * Returns the refusal that a server has said without being asked, before it closed the connection;
   * undefined if it has said none. For a write that failed: nothing can be heard afterwards.
   */
  lastRefusal(): Reply | undefined {
    const refusal = lastRefusal(this.conversation);
    return refusal && this.#traced(refusal);
  }

  /** Hears the answer to a message, for which a server may take its time. */
  async lastReply(): Promise<Reply> {
    const { conversation } = this;
    const { readTimeout } = conversation;
    conversation.readTimeout = Math.max(readTimeout, this.#dataTimeout);
    try {
      return await this.reply();
    } finally {
      conversation.readTimeout = readTimeout;
    }
  }

  #traced(reply: Reply): Reply {
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

/** Servers quote what they do not understand, and cut off what is long. */
function repeats(text: string, secret: string): boolean {
  const beginning = secret.slice(0, TELLING);
  return beginning.length >= LEAST && text.includes(beginning);
}

/**
 * Reads the extensions of an EHLO reply. Every `AUTH` line counts. Some servers write `AUTH=` instead, or
 * as well, for clients from before the standard: that form counts where there is no other.
 */
function extensionsOf(reply: Reply): ReadonlyMap<string, string> {
  const [, ...lines] = reply.lines;
  const extensions = new Map<string, string>();
  let legacy = '';
  for (const line of lines) {
    const [, name = '', separator, parameters = ''] = /^([^ =]+)([ =]?)(.*)$/.exec(line) ?? [];
    const keyword = name.toUpperCase();
    const known = extensions.get(keyword);
    if (keyword === 'AUTH' && separator === '=') legacy = `${legacy} ${parameters}`.trim();
    else if (known === undefined) extensions.set(keyword, parameters);
    else if (keyword === 'AUTH') extensions.set(keyword, `${known} ${parameters}`.trim());
  }
  if (legacy !== '' && !extensions.get('AUTH')) extensions.set('AUTH', legacy);
  return extensions;
}

/** Commands in one group: so few that neither side's replies and commands can stop each other (RFC 2920 §3.1). */
const GROUP = 100;
/** Characters of a secret's base64 that no text has by chance. */
const TELLING = 8;
/** The least that base64 can say anything in. */
const LEAST = 4;
/** What stands for a secret. */
export const MASK = '****';
/** What would end a line, or is nothing that a line may have. */
const STRAY = /[\r\n\0]/;
