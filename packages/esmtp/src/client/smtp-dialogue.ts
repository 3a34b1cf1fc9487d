import type { Conversation } from '@postern/conversation';
import { isLocal } from '@postern/core';
import type { Channel, Responder } from '@postern/sasl/client';
import { Reply } from '../protocol/reply.ts';
import { BadMessage, CLOSING, SmtpReplyError } from './errors.ts';
import { hearReply, lastRefusal } from './hear-reply.ts';

/** Called with each line of a dialogue, for a log. Secrets are masked. */
export type DialogueLogger = (speaker: 'C' | 'S', line: string) => void;

/** The settings of a {@link SmtpDialogue}. */
export interface SmtpDialogueOptions {
  readonly hostname: string;
  readonly lmtp: boolean;
  readonly logDialogue: DialogueLogger;
  /** The most milliseconds until the reply to a message. */
  readonly dataTimeout: number;
}

/** The commands of a client and the replies of its server, one call at a time. */
export class SmtpDialogue {
  readonly conversation: Conversation;
  /**
   * The server's extensions: keywords in upper case, with their parameters as the server sent them.
   */
  extensions: ReadonlyMap<string, string> = new Map();
  /** The responder of the login; undefined without a login. */
  responder: Responder | undefined;
  /** True for LMTP: each recipient has its own reply to the message (RFC 2033 §4.2). */
  readonly lmtp: boolean;
  protected readonly hostname: string;
  readonly #logDialogue: DialogueLogger;
  readonly #dataTimeout: number;

  constructor(conversation: Conversation, { hostname, lmtp, logDialogue, dataTimeout }: SmtpDialogueOptions) {
    this.conversation = conversation;
    this.lmtp = lmtp;
    this.hostname = hostname;
    this.#logDialogue = logDialogue;
    this.#dataTimeout = dataTimeout;
  }

  /** The channel for SASL: TLS, security, and the offered mechanisms. */
  get channel(): Channel {
    const { tls, remote } = this.conversation.transport;
    const secure = tls?.peerCertificate?.verified === true || isLocal(remote);
    return { tls, secure, offered: this.extensions.get('AUTH')?.split(' ').filter(Boolean) ?? [] };
  }

  /**
   * Sends a command and hears its reply. `masked` is the form for the log of a command with a
   * secret. A refusal that quotes the last word of such a command, or its beginning, is masked as
   * well.
   */
  async command(line: string, masked = line): Promise<Reply> {
    this.say(line, masked);
    return await this.reply(masked === line ? undefined : line.slice(line.lastIndexOf(' ') + 1));
  }

  /**
   * Sends commands, in groups if the server offers PIPELINING (RFC 2920), and hears all replies. A
   * 421 is the last reply of the server and counts for the remaining commands as well (RFC 5321
   * §3.8).
   */
  async commands(lines: readonly string[]): Promise<readonly Reply[]> {
    const group = this.extensions.has('PIPELINING') ? MAX_GROUPED_COMMANDS : 1;
    const replies: Reply[] = [];
    for (let start = 0; start < lines.length; start += group) {
      const commands = lines.slice(start, start + group);
      for (const line of commands) this.say(line);
      for (const _ of commands) {
        const reply = await this.reply();
        if (reply.code === CLOSING) return [...replies, ...Array<Reply>(lines.length - replies.length).fill(reply)];
        replies.push(reply);
      }
    }
    return replies;
  }

  /**
   * Sends a command and hears its reply.
   *
   * @throws SmtpReplyError if the reply has another code
   */
  async expect(code: number, line: string): Promise<Reply> {
    const reply = await this.command(line);
    if (reply.code !== code) throw new SmtpReplyError(line.split(' ', 1)[0] as string, reply);
    return reply;
  }

  /**
   * Appends a line to the output, which leaves before the next wait for a reply.
   *
   * @throws BadMessage if the text is more than one line
   */
  say(line: string, masked = line): void {
    if (FORBIDDEN.test(line) || !line.isWellFormed()) throw new BadMessage('a command has a CR, LF or NUL');
    this.#logDialogue('C', masked);
    this.conversation.say(`${line}\r\n`);
  }

  /** Hears a reply. The text of a refusal that quotes the secret is masked. */
  async reply(secret?: string): Promise<Reply> {
    const masked = (text: string): string => (secret !== undefined && quotes(text, secret) ? MASK : text);
    const heard = await hearReply(this.conversation, masked);
    const quotesSecret = secret !== undefined && !heard.positive && heard.lines.some((line) => quotes(line, secret));
    return this.#logged(quotesSecret ? new Reply(heard.code, heard.enhanced, MASK) : heard);
  }

  /**
   * Returns the refusal that a server sent before it closed the connection; undefined without one.
   * For a write that failed: the client hears nothing afterwards.
   */
  lastRefusal(): Reply | undefined {
    const refusal = lastRefusal(this.conversation);
    return refusal && this.#logged(refusal);
  }

  /** Hears the reply to a message, for at most `dataTimeout`. */
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

  #logged(reply: Reply): Reply {
    for (const line of reply.toString().trimEnd().split('\r\n')) this.#logDialogue('S', line);
    return reply;
  }
}

/**
 * Returns true if the text quotes the secret or its beginning: servers quote bad commands and
 * truncate long ones.
 */
function quotes(text: string, secret: string): boolean {
  const beginning = secret.slice(0, MASKED_PREFIX_CHARACTERS);
  return beginning.length >= MIN_SECRET_CHARACTERS && text.includes(beginning);
}

/**
 * The most commands in one group: with few commands the two sides cannot block each other (RFC 2920
 * §3.1).
 */
const MAX_GROUPED_COMMANDS = 100;
/** The characters of a secret in base64 that no text contains by chance. */
const MASKED_PREFIX_CHARACTERS = 8;
/** The fewest characters of a secret in base64. */
const MIN_SECRET_CHARACTERS = 4;
/** The replacement of a secret. */
export const MASK = '****';
/** The characters that a command must not have. */
const FORBIDDEN = /[\r\n\0]/;
