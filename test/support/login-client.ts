import { Conversation, Deadlines, type Protocol } from '@postern/conversation';
import {
  AuthenticationFailure,
  authenticate,
  type Responder,
  type SaslInterface,
  type SaslReply,
} from '@postern/sasl/client';
import { memoryPipe } from '@postern/testing';

/** How a line protocol frames its replies and its AUTH command. */
export interface LoginFraming {
  /** Sent before a login. Default: nothing. */
  readonly hello?: string;
  /** Matches the last line of a reply to a command, or of the greeting. */
  readonly lastLine: RegExp;
  /** Matches a line that reports success. */
  readonly success: RegExp;
  /** Matches a challenge; the first group is its base64. */
  readonly challenge: RegExp;
  /** Returns the command that begins an exchange. */
  readonly auth: (mechanism: string, initialResponse: string | undefined) => string;
  /** Returns the line of a response in base64. Default: the response. */
  readonly response?: (base64: string) => string;
}

export const ESMTP_FRAMING: LoginFraming = {
  hello: 'EHLO client.example.org',
  lastLine: /^\d{3} /,
  success: /^2\d\d /,
  challenge: /^334 (.*)$/,
  auth: (mechanism, initial) => `AUTH ${mechanism}${initial === undefined ? '' : ` ${initial}`}`,
};

export const POP3_FRAMING: LoginFraming = {
  lastLine: /^(?:\+OK|-ERR)/,
  success: /^\+OK/,
  challenge: /^\+ (.*)$/,
  auth: (mechanism, initial) => `AUTH ${mechanism}${initial === undefined ? '' : ` ${initial}`}`,
};

export const IMAP_FRAMING: LoginFraming = {
  lastLine: /^(?:a \w+|\* (?:OK|BYE)) /,
  success: /^a OK /,
  challenge: /^\+ (.*)$/,
  auth: (mechanism, initial) => `a AUTHENTICATE ${mechanism}${initial === undefined ? '' : ` ${initial}`}`,
};

export const SIEVE_FRAMING: LoginFraming = {
  lastLine: /^(?:OK|NO|BYE)/,
  success: /^OK/,
  challenge: /^"([A-Za-z0-9+/=]*)"$/,
  auth: (mechanism, initial) => `AUTHENTICATE "${mechanism}"${initial === undefined ? '' : ` "${initial}"`}`,
  response: (base64) => `"${base64}"`,
};

/** A client at the other end of a connection in memory, which logs in. */
export class LoginClient implements SaslInterface, AsyncDisposable {
  readonly #conversation: Conversation;
  readonly #served: Promise<void>;
  readonly #framing: LoginFraming;
  #greeting: string | undefined;
  /** The last line of the last reply. */
  lastReply = '';

  /** Connects from this IP address, over TLS. */
  constructor(protocol: Protocol, framing: LoginFraming, address: string, deadlines: Deadlines) {
    const family = address.includes(':') ? 'IPv6' : 'IPv4';
    const { client, server } = memoryPipe({ tlsPolicy: 'implicit', client: { family, address, port: 40_000 } });
    this.#framing = framing;
    this.#conversation = new Conversation(client, { deadlines: new Deadlines() });
    this.#served = protocol(new Conversation(server, { deadlines }));
  }

  /** Resolves to the last line of the greeting. */
  async greeting(): Promise<string> {
    if (this.#greeting === undefined) {
      this.#greeting = await this.#hear();
      if (this.#framing.hello !== undefined) await this.say(this.#framing.hello);
    }
    return this.#greeting;
  }

  /** Sends a line, and resolves to the last line of the reply. */
  async say(line: string): Promise<string> {
    await this.greeting();
    this.#conversation.say(`${line}\r\n`);
    this.lastReply = await this.#hear();
    return this.lastReply;
  }

  /** Logs in with one mechanism. Resolves to false if the server refuses. */
  async authenticate(responder: Responder): Promise<boolean> {
    try {
      await authenticate([responder], [responder.mechanism], this, { secure: true });
      return true;
    } catch (error) {
      if (error instanceof AuthenticationFailure) return false;
      throw error;
    }
  }

  initiate(mechanism: string, initialResponse: Uint8Array | undefined): Promise<SaslReply> {
    const base64 = initialResponse && (Buffer.from(initialResponse).toString('base64') || '=');
    return this.#exchange(this.#framing.auth(mechanism, base64));
  }

  respond(response: Uint8Array): Promise<SaslReply> {
    const base64 = Buffer.from(response).toString('base64');
    return this.#exchange(this.#framing.response?.(base64) ?? base64);
  }

  async abort(): Promise<void> {
    await this.say('*');
  }

  /** Closes the connection, and resolves when the server has ended the session. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#conversation.destroy();
    await this.#served;
  }

  async #exchange(line: string): Promise<SaslReply> {
    const reply = await this.say(line);
    const challenge = this.#framing.challenge.exec(reply)?.[1];
    if (challenge !== undefined) return { state: 'challenge', payload: Buffer.from(challenge, 'base64') };
    if (this.#framing.success.test(reply)) return { state: 'success', payload: undefined };
    throw new AuthenticationFailure(reply);
  }

  async #hear(): Promise<string> {
    for (;;) {
      const line = await this.#conversation.hearLine(MAX_LINE_OCTETS);
      if (line === undefined) throw new Error('the server has closed the connection');
      if (this.#framing.lastLine.test(line) || this.#framing.challenge.test(line)) return line;
    }
  }
}

const MAX_LINE_OCTETS = 16_384;
