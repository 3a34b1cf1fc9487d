import { type Conversation, PeerGone } from '@postern/conversation';
import { BackEndUnavailable, boundedText } from '@postern/sasl-profile';
import { parseCapability, parseStatus, type StatusResponse } from '../protocol/response.ts';

/**
 * The client's half of IMAP up to the login. No error holds a text that the server sent after it
 * had a secret: a server may echo what it got.
 */
export class ImapDialogue {
  readonly #conversation: Conversation;
  #commands = 0;
  /** The lines that the server has sent so far. */
  #lines = 0;
  /** The capabilities that the server last named in its state, in upper case. */
  #capabilities: readonly string[] | undefined = undefined;

  constructor(conversation: Conversation) {
    this.#conversation = conversation;
  }

  /** Hears the greeting (RFC 9051 §7.1). @throws BackEndUnavailable for BYE or another protocol. */
  async hearGreeting(): Promise<'OK' | 'PREAUTH'> {
    const response = await this.#hearStatus();
    if (response?.tag !== '*') throw new BackEndUnavailable('the back end does not greet as an IMAP server');
    const { status, text } = response;
    if (status === 'OK' || status === 'PREAUTH') return status;
    throw new BackEndUnavailable(`the back end refuses the connection: ${status} ${boundedText(text)}`);
  }

  /** Returns true if the server has the capability, in upper case. */
  async offers(capability: string): Promise<boolean> {
    return (await this.knowCapabilities()).some((word) => word.toUpperCase() === capability);
  }

  /** Returns the capabilities of the server now. Asks for them if the server has not named them. */
  async knowCapabilities(): Promise<readonly string[]> {
    if (this.#capabilities === undefined) await this.command('CAPABILITY');
    return this.#capabilities ?? [];
  }

  /** Sends a command, and returns the tagged response to it. */
  async command(command: string): Promise<StatusResponse> {
    return await this.#response(this.#say(command), undefined);
  }

  /** Starts TLS and forgets what the server said in the clear (RFC 9051 §6.2.1). */
  async startTls(): Promise<void> {
    const { status, code } = await this.command('STARTTLS');
    if (status !== 'OK') throw new BackEndUnavailable(`the back end refuses STARTTLS: ${describe(status, code)}`);
    this.#capabilities = undefined;
    await this.#conversation.startTls();
  }

  /** Runs a mechanism of one message, in base64. Sends it at once where the server has SASL-IR. */
  async authenticate(mechanism: string, message: string): Promise<void> {
    const isInitial = await this.offers('SASL-IR');
    const command = `AUTHENTICATE ${mechanism}`;
    this.#capabilities = undefined;
    const tag = this.#say(isInitial ? `${command} ${message}` : command);
    this.#accepted(await this.#response(tag, isInitial ? undefined : message));
  }

  /** Runs LOGIN. @throws BackEndUnavailable if the server refuses it. */
  async logIn(command: string): Promise<void> {
    this.#capabilities = undefined;
    this.#accepted(await this.command(command));
  }

  #accepted({ status, code }: StatusResponse): void {
    if (status !== 'OK') throw new BackEndUnavailable(`the back end refuses the login: ${describe(status, code)}`);
  }

  #say(command: string): string {
    const tag = `p${++this.#commands}`;
    this.#conversation.say(`${tag} ${command}\r\n`);
    return tag;
  }

  /** Hears up to the tagged response. Answers one continuation request with `answer`. */
  async #response(tag: string, answer: string | undefined): Promise<StatusResponse> {
    let remaining = answer;
    for (;;) {
      const line = await this.#hearLine();
      if (/^\+(?: |$)/.test(line)) {
        if (remaining === undefined) throw new BackEndUnavailable('the back end asks for more than the command has');
        this.#conversation.say(`${remaining}\r\n`);
        remaining = undefined;
        continue;
      }
      const response = this.#noticeCapabilities(line);
      if (response?.status === 'BYE') {
        throw new BackEndUnavailable(`the back end ends the connection: ${describe('BYE', response.code)}`);
      }
      if (response?.tag === tag) return response;
      if (!line.startsWith('* ')) throw new BackEndUnavailable('the back end sends lines that are not IMAP');
    }
  }

  async #hearStatus(): Promise<StatusResponse | undefined> {
    return this.#noticeCapabilities(await this.#hearLine());
  }

  async #hearLine(): Promise<string> {
    if (++this.#lines > MAX_LINES) throw new BackEndUnavailable(`the back end sends more than ${MAX_LINES} lines`);
    const line = await this.#conversation.hearLine(MAX_LINE_OCTETS);
    if (line === undefined) throw new PeerGone('the back end has closed the connection');
    return line;
  }

  #noticeCapabilities(line: string): StatusResponse | undefined {
    const response = parseStatus(line);
    const words = response?.code === 'CAPABILITY' ? response.codeArgument.split(/ +/) : parseCapability(line);
    if (words !== undefined) this.#capabilities = words;
    return response;
  }
}

function describe(status: string, code: string | undefined): string {
  return code === undefined ? status : `${status} [${boundedText(code)}]`;
}

/** The lines of a login that are still plausible. */
const MAX_LINES = 100;
const MAX_LINE_OCTETS = 8_192;
