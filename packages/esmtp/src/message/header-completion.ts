import { isBlank, isName, nameLength } from './header-line.ts';

/** What goes before a message: the trace, with its line ends, and fields that its header may lack, without. */
export interface Preface {
  readonly trace: string;
  date(): string;
  messageId(): string;
}

/**
 * Finds out whether a message has a `Date` and a `Message-ID`, and puts before it what it lacks, behind the trace (RFC 6409 §8.2, §8.3):
 * the client's own octets stay together and as they are. No more is held than the header; one that is too long is left as it is.
 */
export class HeaderCompletion {
  readonly #preface: Preface;
  #held: Buffer = EMPTY;
  #length = 0;
  /** Where the line begins that is not complete yet. */
  #lineAt = 0;
  #hasDate = false;
  #hasMessageId = false;
  #completed: Uint8Array | undefined;

  constructor(preface: Preface) {
    this.#preface = preface;
  }

  /** The header, once it has got something that it lacked. */
  get completed(): Uint8Array | undefined {
    return this.#completed;
  }

  /** The octets of the buffer that holds what there is of the header. */
  get heldOctets(): number {
    return this.#held.length;
  }

  /** Takes the next piece. Once all is known, it comes to what goes before that piece, held ones included; undefined means that it is held. */
  feed(piece: Uint8Array): Buffer | undefined {
    if (this.#length === 0 && this.#isOver(piece, piece.length)) return Buffer.from(this.#before(piece));
    const before = this.#length;
    this.#hold(piece);
    const isKnown = before > 0 && this.#isOver(this.#held, this.#length);
    if (!isKnown && this.#length <= LONGEST_HEADER) return undefined;
    const text = isKnown ? this.#before(this.#held) : this.#preface.trace;
    return Buffer.concat([Buffer.from(text), this.#held.subarray(0, before)]);
  }

  /** The message ends within its header: what there is of it, with what it lacks. */
  end(): Buffer {
    const rest = this.#held.subarray(0, this.#length);
    if (this.#lineAt < rest.length && this.#readLine(rest, this.#lineAt, rest.length)) this.#lineAt = rest.length;
    return Buffer.concat([Buffer.from(this.#before(rest)), rest]);
  }

  /** Reads on, in what there is from its beginning; true if the header is over, or nothing is missing. */
  #isOver(bytes: Uint8Array, length: number): boolean {
    for (;;) {
      const lineFeed = bytes.indexOf(LF, this.#lineAt);
      if (lineFeed < 0 || lineFeed >= length) return false;
      if (!this.#readLine(bytes, this.#lineAt, lineFeed)) return true;
      if (this.#hasDate && this.#hasMessageId) return true;
      this.#lineAt = lineFeed + 1;
    }
  }

  /** Reads a line; false if it is none of a header. */
  #readLine(bytes: Uint8Array, from: number, to: number): boolean {
    if (from > 0 && isBlank(bytes[from])) return true;
    const length = nameLength(bytes, from, to);
    if (length === DATE.length) this.#hasDate ||= isName(bytes, from, DATE);
    else if (length === MESSAGE_ID.length) this.#hasMessageId ||= isName(bytes, from, MESSAGE_ID);
    return length > 0;
  }

  /** Where the message has no header at all, what begins it is parted from the fields. */
  #before(bytes: Uint8Array): string {
    const { trace } = this.#preface;
    if (this.#hasDate && this.#hasMessageId) return trace;
    this.#completed = bytes.subarray(0, this.#lineAt);
    const date = this.#hasDate ? '' : `${this.#preface.date()}\r\n`;
    const messageId = this.#hasMessageId ? '' : `${this.#preface.messageId()}\r\n`;
    const isBody =
      this.#lineAt === 0 && bytes.length > 0 && bytes[0] !== CR && nameLength(bytes, 0, bytes.length) === 0;
    return `${trace}${date}${messageId}${isBody ? '\r\n' : ''}`;
  }

  /** A copy, in a buffer that doubles when it is full: pieces may be single octets. */
  #hold(piece: Uint8Array): void {
    const length = this.#length + piece.length;
    if (length > this.#held.length) {
      const larger = Buffer.allocUnsafe(Math.max(2 * this.#held.length, length, 4096));
      this.#held.copy(larger, 0, 0, this.#length);
      this.#held = larger;
    }
    this.#held.set(piece, this.#length);
    this.#length = length;
  }
}

const EMPTY = Buffer.alloc(0);
const CR = 0x0d;
const LF = 0x0a;
const DATE = new TextEncoder().encode('date');
const MESSAGE_ID = new TextEncoder().encode('message-id');

/** Octets. */
const LONGEST_HEADER = 64 * 1024;
