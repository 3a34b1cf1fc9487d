import { BareLineEnding, type Conversation, LineTooLong, PeerGone, TimedOut } from '@postern/conversation';
import type { MaybePromise } from '@postern/core';
import type { Ask } from '@postern/cred';
import { decodeBase64, ExchangeCancelled, encodeBase64, MalformedResponse, NO_BYTES } from '@postern/sasl';

/** The parts of the framing in which protocols differ. */
export interface FramingOptions {
  /**
   * Returns the line for a challenge in base64, without CRLF: `334 …` in SMTP, `+ …` in POP3 and
   * IMAP.
   */
  readonly prompt: (base64: string) => string;
  /** The longest response in octets, in base64 and without CRLF. RFC 4954 §4 asks for 12,288. */
  readonly maxResponse: number;
  /**
   * Resolves with the base64 of a response, at most `maxOctets` of it, or undefined at the end of
   * the input: for a protocol that frames responses as strings. Default: one line.
   */
  readonly hearResponse?: (conversation: Conversation, maxOctets: number) => MaybePromise<string | undefined>;
  /** Accepts base64 without its padding, which some devices send. Default: false. */
  readonly allowUnpadded?: boolean;
}

/**
 * The framing of one exchange in a line protocol, after SMTP (RFC 4954 §4), POP3 (RFC 5034 §4) and
 * IMAP (RFC 9051 §6.2.2): one line of base64 for each challenge and each response, `*` to cancel,
 * `=` for an empty initial response.
 */
export class Base64Framing {
  readonly #conversation: Conversation;
  readonly #prompt: FramingOptions['prompt'];
  readonly #maxResponse: number;
  readonly #hearResponse: NonNullable<FramingOptions['hearResponse']>;
  readonly #allowUnpadded: boolean;
  #isWaiting = false;
  #isClosed = false;
  #hasLostSync = false;

  constructor(
    conversation: Conversation,
    { prompt, maxResponse, hearResponse = hearLine, allowUnpadded = false }: FramingOptions,
  ) {
    this.#conversation = conversation;
    this.#prompt = prompt;
    this.#maxResponse = maxResponse;
    this.#hearResponse = hearResponse;
    this.#allowUnpadded = allowUnpadded;
  }

  /**
   * Sends a challenge and resolves with the client's response.
   *
   * @throws ExchangeCancelled if the client sends `*`.
   * @throws MalformedResponse if the line is too long, has a bare CR or LF, or is not base64.
   * @throws ConversationError if the client disconnects or is silent for too long.
   */
  readonly ask: Ask = async (challenge) => {
    if (this.#isClosed) throw new TimedOut();
    this.#conversation.say(`${this.#prompt(encodeBase64(challenge))}\r\n`);
    this.#isWaiting = true;
    let line: string | undefined;
    try {
      line = await this.#hearResponse(this.#conversation, this.#maxResponse);
    } catch (error) {
      throw this.#asResponseError(error);
    }
    if (line === undefined) throw new PeerGone();
    this.#isWaiting = false;
    if (line === '*') throw new ExchangeCancelled();
    return this.#decode(line);
  };

  /** True while the client owes a response. Stays true if the client disconnects. */
  get isWaiting(): boolean {
    return this.#isWaiting;
  }

  /**
   * True once a response had a bare CR or LF: the client and this server no longer agree on what a
   * line is, whatever the mechanism makes of the response.
   */
  get hasLostSync(): boolean {
    return this.#hasLostSync;
  }

  /**
   * Makes each later `ask` reject with TimedOut: the next line of the client is a command again.
   */
  close(): void {
    this.#isClosed = true;
  }

  /**
   * Returns the bytes of the initial response on the command line. Undefined stays undefined, and
   * `=` is no bytes (RFC 4954 §4).
   *
   * @throws MalformedResponse if the response is too long or not base64.
   */
  decodeInitialResponse(base64: string | undefined): Uint8Array | undefined {
    if (base64 === undefined) return undefined;
    if (base64 === '=') return NO_BYTES;
    if (base64.length > this.#maxResponse) {
      throw new MalformedResponse('the initial response is too long', 'too-long');
    }
    return this.#decode(base64);
  }

  /** Returns the error of the exchange for a line that the conversation could not hear. */
  #asResponseError(error: unknown): unknown {
    if (error instanceof LineTooLong) return this.#malformed('the response is too long', 'too-long');
    if (!(error instanceof BareLineEnding)) return error;
    this.#hasLostSync = true;
    return this.#malformed('the response has a bare CR or LF', 'line-ending');
  }

  #malformed(...[message, malformation]: ConstructorParameters<typeof MalformedResponse>): MalformedResponse {
    this.#isWaiting = false;
    return new MalformedResponse(message, malformation);
  }

  #decode(base64: string): Uint8Array {
    // Padding may be absent, but a wrong character in its place stays an error.
    const missing = this.#allowUnpadded && !base64.endsWith('=') ? -base64.length & 3 : 0;
    const bytes = decodeBase64(missing === 0 ? base64 : base64 + '='.repeat(missing));
    if (bytes === undefined) throw new MalformedResponse('the response is not base64', 'encoding');
    return bytes;
  }
}

function hearLine(conversation: Conversation, maxOctets: number): MaybePromise<string | undefined> {
  return conversation.hearLine(maxOctets, true);
}
