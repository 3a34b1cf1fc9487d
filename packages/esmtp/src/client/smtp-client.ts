import type { Reply } from '../protocol/reply.ts';
import { SmtpProtocolError, SmtpReplyError } from './errors.ts';
import { type OutgoingEnvelope, OutgoingMessage } from './outgoing-message.ts';
import { SmtpDialogue } from './smtp-dialogue.ts';

/**
 * The client of one SMTP or LMTP server, after its greeting and EHLO. {@link connectSmtp} creates
 * it. One call runs at a time.
 */
export class SmtpClient extends SmtpDialogue implements AsyncDisposable {
  /**
   * Sends EHLO or LHLO, and stores the extensions. Sends HELO if the server does not know EHLO (RFC
   * 5321 §3.2).
   *
   * @throws SmtpReplyError
   */
  async hello(): Promise<void> {
    const reply = await this.command(`${this.lmtp ? 'LHLO' : 'EHLO'} ${this.hostname}`);
    if (reply.code === 250) {
      this.extensions = extensionsOf(reply);
      return;
    }
    this.extensions = new Map();
    if (this.lmtp || reply.code < 500) throw new SmtpReplyError('EHLO', reply);
    await this.expect(250, `HELO ${this.hostname}`);
  }

  /**
   * Starts TLS and sends EHLO again (RFC 3207 §4.2). Clear text after the server's 220 may come
   * from an attacker, so it is an error.
   *
   * @throws SmtpReplyError, SmtpProtocolError, and any error of the handshake
   */
  async startTls(): Promise<void> {
    await this.expect(220, 'STARTTLS');
    if (this.conversation.hasInput)
      throw new SmtpProtocolError('the server sent clear text after its reply to STARTTLS');
    await this.conversation.startTls();
    await this.hello();
  }

  /**
   * Sends a message. Resolves like {@link OutgoingMessage.end}.
   *
   * @throws SmtpReplyError if the sender or all recipients are refused
   */
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

  /**
   * Begins a message: sends the envelope and DATA.
   *
   * @throws SmtpReplyError if the sender or all recipients are refused
   */
  open(envelope: OutgoingEnvelope): Promise<OutgoingMessage> {
    return OutgoingMessage.open(this, envelope);
  }

  /** Sends QUIT and closes the connection, even if the server does not reply. */
  async quit(): Promise<void> {
    try {
      await this.command('QUIT');
    } finally {
      await this.conversation.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.quit();
    } catch {
      this.conversation.destroy();
    }
  }
}

/**
 * Parses the extensions of an EHLO reply. Every `AUTH` line counts. Some servers send `AUTH=` as
 * well, for clients from before the standard. That form counts only where there is no other.
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
