/** An answer to a command (RFC 5321 §4.2, RFC 3463): `250 2.1.5 OK`. */
export class Reply {
  /** Three digits, 200 to 599. */
  readonly code: number;
  /** `class.subject.detail`; its class is the code's first digit. Undefined for greetings, EHLO and 3xx (RFC 2034 §4). */
  readonly enhanced: string | undefined;
  /** At least one; printable ASCII. */
  readonly lines: readonly string[];
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
    this.lines = texts.every(isPrintable) ? texts : texts.flatMap(printable);
  }

  /** True if the command did what it was to do, or goes on (2xx, 3xx). */
  get positive(): boolean {
    return this.code < 400;
  }

  /** As it is said: every line with the code and the enhanced code, and its CRLF; no line over 512 octets (RFC 5321 §4.5.3.1.5). */
  toString(): string {
    this.#wire ??= this.#format();
    return this.#wire;
  }

  #format(): string {
    const enhanced = this.enhanced === undefined ? '' : `${this.enhanced} `;
    const last = this.lines.length - 1;
    if (last === 0) return `${this.code} ${enhanced}${this.lines[0]}\r\n`;
    return this.lines.map((line, at) => `${this.code}${at === last ? ' ' : '-'}${enhanced}${line}\r\n`).join('');
  }
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
  return text.length <= LONGEST_TEXT && PRINTABLE.test(text);
}

/** The text in lines that fit into a reply. */
function printable(text: string): string[] {
  const ascii = text.replace(/[^ -~]/g, '?');
  return ascii.length <= LONGEST_TEXT ? [ascii] : (ascii.match(LONG_PIECES) ?? []);
}

/** 512 octets less `250-`, `x.xxx.xxx ` and CRLF. */
const LONGEST_TEXT = 496;
const PRINTABLE = /^[ -~]*$/;
const LONG_PIECES = /.{1,496}/g;
