import { hasUnsafeCharacter, isPrintableAscii } from './characters.ts';

/**
 * A reply to a command (RFC 5321 §4.2, RFC 3463): `250 2.1.5 OK`.
 *
 * Characters other than printable ASCII become `?`, so that no text can forge a reply. A text that
 * is too long for one line becomes several.
 *
 * @example
 * ```ts
 * import { Reply } from '@postern/esmtp';
 *
 * const reply = new Reply(452, '4.2.2', 'Mailbox full');
 * console.log(String(reply)); // 452 4.2.2 Mailbox full
 * ```
 */
export class Reply {
  /** Three digits, 200 to 599. */
  readonly code: number;
  /**
   * The enhanced status code, `class.subject.detail`, of the class of `code`. Undefined for
   * greetings, EHLO and 3xx (RFC 2034 §4).
   */
  readonly enhanced: string | undefined;
  /** The texts of the lines, at least one, in printable ASCII. */
  readonly lines: readonly string[];
  /** The texts as given, if they are printable in UTF-8 and not in ASCII. */
  readonly #utf8: readonly string[] | undefined;
  #wire: string | undefined;

  /**
   * @throws RangeError for a number that is not a reply code, and an enhanced code of another
   * class.
   */
  constructor(code: number, enhanced: string | undefined, ...lines: readonly string[]) {
    if (!Number.isInteger(code) || code < 200 || code > 599) throw new RangeError(`${code} is not a reply code`);
    if (enhanced !== undefined && !isEnhancedCode(enhanced, code)) {
      throw new RangeError(`${enhanced} is not an enhanced status code for ${code}`);
    }
    this.code = code;
    this.enhanced = enhanced;
    const texts = lines.length === 0 ? [''] : lines;
    const isAscii = texts.every(isPrintable);
    this.lines = isAscii ? texts : texts.flatMap(toPrintableLines);
    this.#utf8 = !isAscii && texts.every(isPrintableUtf8) ? texts : undefined;
  }

  /** False if {@link inUtf8} returns a reply with characters that this reply has lost. */
  get isAscii(): boolean {
    return this.#utf8 === undefined;
  }

  /** Returns the reply in UTF-8, for a client that accepts it (RFC 6531 §3.7.4). */
  inUtf8(): Reply {
    return this.#utf8 === undefined ? this : new Utf8Reply(this, this.#utf8);
  }

  /** True for 2xx and 3xx: the command succeeded, or continues. */
  get positive(): boolean {
    return this.code < 400;
  }

  /**
   * Returns the reply as sent: each line with the code, the enhanced code and CRLF, in at most 512
   * octets (RFC 5321 §4.5.3.1.5).
   */
  toString(): string {
    this.#wire ??= format(this, this.lines);
    return this.#wire;
  }
}

class Utf8Reply extends Reply {
  readonly #utf8Lines: readonly string[];

  constructor({ code, enhanced, lines }: Reply, utf8Lines: readonly string[]) {
    super(code, enhanced, ...lines);
    this.#utf8Lines = utf8Lines;
  }

  override toString(): string {
    return format(this, this.#utf8Lines);
  }
}

/**
 * An error that a delivery throws to refuse a sender, a recipient or a message. The client gets the
 * reply unchanged. A reply of 421 also closes the connection.
 */
export class Rejection extends Error {
  readonly reply: Reply;

  /**
   * @throws RangeError unless the code is 4xx or 5xx and the enhanced code is of the same class.
   */
  constructor(code: number, enhanced: string, ...lines: readonly string[]) {
    super(`${code} ${enhanced} ${lines.join(' ')}`);
    this.reply = new Reply(code, enhanced, ...lines);
    if (this.reply.positive) throw new RangeError(`${code} is a positive reply code; expected 400 to 599`);
  }

  override get name(): string {
    return 'Rejection';
  }
}

/** Keeps recent replies that hold only the hostname: formatting takes most of their time. */
export class ReplyCache {
  readonly #create: (hostname: string) => Reply;
  readonly #recent: { readonly hostname: string; readonly reply: Reply }[] = [];

  constructor(create: (hostname: string) => Reply) {
    this.#create = create;
  }

  /** Returns the reply with the hostname: the same object while the cache holds it. */
  get(hostname: string): Reply {
    for (const cached of this.#recent) if (cached.hostname === hostname) return cached.reply;
    const reply = this.#create(hostname);
    if (this.#recent.length === MAX_CACHED_REPLIES) this.#recent.pop();
    this.#recent.unshift({ hostname, reply });
    return reply;
  }
}

function format({ code, enhanced }: Reply, lines: readonly string[]): string {
  const prefix = enhanced === undefined ? '' : `${enhanced} `;
  const last = lines.length - 1;
  if (last === 0) return `${code} ${prefix}${lines[0]}\r\n`;
  return lines.map((line, index) => `${code}${index === last ? ' ' : '-'}${prefix}${line}\r\n`).join('');
}

function isEnhancedCode(enhanced: string, code: number): boolean {
  const hasClass = enhanced.charCodeAt(0) - DIGIT_ZERO === Math.floor(code / 100);
  return hasClass && (isShortEnhancedCode(enhanced) || /^[245]\.\d{1,3}\.\d{1,3}$/.test(enhanced));
}

/** Returns true for a code such as `2.1.5`. Each accepted message needs one of this form. */
function isShortEnhancedCode(enhanced: string): boolean {
  const first = enhanced.charCodeAt(0) - DIGIT_ZERO;
  return (
    enhanced.length === 5 &&
    (first === 2 || first === 4 || first === 5) &&
    enhanced.charCodeAt(1) === DOT &&
    isDigit(enhanced.charCodeAt(2)) &&
    enhanced.charCodeAt(3) === DOT &&
    isDigit(enhanced.charCodeAt(4))
  );
}

function isDigit(code: number): boolean {
  return code >= DIGIT_ZERO && code <= DIGIT_ZERO + 9;
}

function isPrintable(text: string): boolean {
  return text.length <= MAX_TEXT_OCTETS && isPrintableAscii(text);
}

function isPrintableUtf8(text: string): boolean {
  return (
    text.isWellFormed() &&
    PRINTABLE_UTF8.test(text) &&
    !hasUnsafeCharacter(text) &&
    Buffer.byteLength(text) <= MAX_TEXT_OCTETS
  );
}

/** Returns the text as ASCII, in lines that fit into a reply. */
function toPrintableLines(text: string): string[] {
  const ascii = text.replace(/[^ -~]/g, '?');
  return ascii.length <= MAX_TEXT_OCTETS ? [ascii] : (ascii.match(LONG_PIECES) ?? []);
}

const DIGIT_ZERO = 0x30;
const DOT = 0x2e;
/** 512 octets less `250-`, `x.xxx.xxx ` and CRLF. */
const MAX_TEXT_OCTETS = 496;
const LONG_PIECES = /.{1,496}/g;
const PRINTABLE_UTF8 = /^[ -~\u00a0-\uffff]*$/;
const MAX_CACHED_REPLIES = 16;
