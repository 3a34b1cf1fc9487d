import { isPrintableAscii } from './ascii.ts';
import { hasUnsafeCharacter } from './unsafe-characters.ts';

/** An answer to a command (RFC 5321 §4.2, RFC 3463): `250 2.1.5 OK`. */
export class Reply {
  /** Three digits, 200 to 599. */
  readonly code: number;
  /** `class.subject.detail`; its class is the code's first digit. Undefined for greetings, EHLO and 3xx (RFC 2034 §4). */
  readonly enhanced: string | undefined;
  /** At least one; printable ASCII. */
  readonly lines: readonly string[];
  /** As they were given, where UTF-8 can say it and ASCII cannot. */
  readonly #utf8: readonly string[] | undefined;
  #wire: string | undefined;

  /** Throws a RangeError for codes that are none. What is not printable ASCII in the text becomes `?`: it cannot forge a reply. */
  constructor(code: number, enhanced: string | undefined, ...lines: readonly string[]) {
    if (!Number.isInteger(code) || code < 200 || code > 599) throw new RangeError(`${code} is no reply code`);
    if (enhanced !== undefined && !isEnhancedCode(enhanced, code)) {
      throw new RangeError(`${enhanced} is no enhanced status code for ${code}`);
    }
    this.code = code;
    this.enhanced = enhanced;
    const texts = lines.length === 0 ? [''] : lines;
    const isAscii = texts.every(isPrintable);
    this.lines = isAscii ? texts : texts.flatMap(printable);
    this.#utf8 = !isAscii && texts.every(isPrintableUtf8) ? texts : undefined;
  }

  /** False if UTF-8 can say what was given as text, and ASCII cannot: then {@link inUtf8} says more. */
  get isAscii(): boolean {
    return this.#utf8 === undefined;
  }

  /** The same in UTF-8, for a client that has said that it takes that (RFC 6531 §3.7.4). */
  inUtf8(): Reply {
    return this.#utf8 === undefined ? this : new Utf8Reply(this, this.#utf8);
  }

  /** True if the command did what it was to do, or goes on (2xx, 3xx). */
  get positive(): boolean {
    return this.code < 400;
  }

  /** As it is said: every line with the code and the enhanced code, and its CRLF; no line over 512 octets (RFC 5321 §4.5.3.1.5). */
  toString(): string {
    this.#wire ??= format(this, this.lines);
    return this.#wire;
  }
}

class Utf8Reply extends Reply {
  readonly #lines: readonly string[];

  constructor({ code, enhanced, lines }: Reply, inUtf8: readonly string[]) {
    super(code, enhanced, ...lines);
    this.#lines = inUtf8;
  }

  override toString(): string {
    return format(this, this.#lines);
  }
}

function format({ code, enhanced }: Reply, lines: readonly string[]): string {
  const prefix = enhanced === undefined ? '' : `${enhanced} `;
  const last = lines.length - 1;
  if (last === 0) return `${code} ${prefix}${lines[0]}\r\n`;
  return lines.map((line, at) => `${code}${at === last ? ' ' : '-'}${prefix}${line}\r\n`).join('');
}

/** What a delivery throws to refuse: the reply goes to the client as it is. A reply of 421 also ends the connection. */
export class Rejection extends Error {
  readonly reply: Reply;

  /** Throws a RangeError unless the code is 4xx or 5xx and the enhanced code is of the same class. */
  constructor(code: number, enhanced: string, ...lines: readonly string[]) {
    super(`${code} ${enhanced} ${lines.join(' ')}`);
    this.reply = new Reply(code, enhanced, ...lines);
    if (this.reply.positive) throw new RangeError(`${code} is no refusal`);
  }

  override get name(): string {
    return 'Rejection';
  }
}

function isEnhancedCode(enhanced: string, code: number): boolean {
  return /^[245]\.\d{1,3}\.\d{1,3}$/.test(enhanced) && Number(enhanced[0]) === Math.floor(code / 100);
}

function isPrintable(text: string): boolean {
  return text.length <= LONGEST_TEXT && isPrintableAscii(text);
}

function isPrintableUtf8(text: string): boolean {
  return (
    text.isWellFormed() &&
    PRINTABLE_UTF8.test(text) &&
    !hasUnsafeCharacter(text) &&
    Buffer.byteLength(text) <= LONGEST_TEXT
  );
}

/** The text in lines that fit into a reply. */
function printable(text: string): string[] {
  const ascii = text.replace(/[^ -~]/g, '?');
  return ascii.length <= LONGEST_TEXT ? [ascii] : (ascii.match(LONG_PIECES) ?? []);
}

/** 512 octets less `250-`, `x.xxx.xxx ` and CRLF. */
const LONGEST_TEXT = 496;
const PRINTABLE_UTF8 = /^[ -~\u00a0-\uffff]*$/;
const LONG_PIECES = /.{1,496}/g;
