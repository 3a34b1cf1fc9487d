import type { CharacterSet } from './character-set.ts';

/** Writes whole lines, each with its line feed. */
export type BlockWriter = (block: Uint8Array, lines: number) => void;

/** The options of a {@link LogBuffer}. */
export interface LogBufferOptions {
  /**
   * True to join the lines of one turn of the event loop in one block. False to write each line at
   * once.
   */
  readonly isJoined: boolean;
}

/**
 * Composes the lines of a log as octets, and writes them in blocks: at the end of a turn of the
 * event loop, or when the next line would make the block longer than {@link MAX_BLOCK_OCTETS}. A
 * system call for each line, and its text as a string, would cost more than the line.
 */
export class LogBuffer {
  readonly #write: BlockWriter;
  readonly #isJoined: boolean;
  #octets: Buffer = Buffer.allocUnsafeSlow(CAPACITY_OCTETS);
  /** The octets of the whole lines. The line that is being composed begins here. */
  #lineStart = 0;
  #end = 0;
  /** The number of the whole lines. */
  #lines = 0;
  #isScheduled = false;
  #second = Number.NaN;
  /** The text of `#second`: `2026-11-30T09:26:55.`. */
  #secondText = '';

  constructor(write: BlockWriter, { isJoined }: LogBufferOptions) {
    this.#write = write;
    this.#isJoined = isJoined;
  }

  /** Writes the whole lines, without a line that is being composed. */
  readonly flush = (): void => {
    if (this.#lines > 0) this.#writeLines();
  };

  /** Writes one line, or several: each ends with a line feed. */
  line(text: string): void {
    this.beginLine();
    this.utf8(text);
    this.#endText();
  }

  /** Begins a line, and discards one that has not ended. */
  beginLine(): void {
    this.#end = this.#lineStart;
  }

  endLine(): void {
    this.#reserve(1);
    this.#octets[this.#end++] = LINE_FEED;
    this.#endText();
  }

  /** The end of the text so far, for {@link rewind}. */
  get position(): number {
    return this.#end;
  }

  /** Discards the text behind a position in the current line. */
  rewind(position: number): void {
    this.#end = position;
  }

  /** Appends text of ASCII. */
  ascii(text: string): void {
    const { length } = text;
    this.#reserve(length);
    const octets = this.#octets;
    const start = this.#end;
    for (let index = 0; index < length; index++) octets[start + index] = text.charCodeAt(index);
    this.#end = start + length;
  }

  /**
   * Appends the text and returns true, if `allowed` holds each of its characters. Otherwise, and
   * for an empty text, appends nothing and returns false.
   */
  copy(text: string, allowed: CharacterSet): boolean {
    const { length } = text;
    this.#reserve(length);
    const octets = this.#octets;
    const start = this.#end;
    for (let index = 0; index < length; index++) {
      const code = text.charCodeAt(index);
      if (code > 0x7f || allowed[code] === 0) return false;
      octets[start + index] = code;
    }
    this.#end = start + length;
    return length > 0;
  }

  utf8(text: string): void {
    this.#reserve(text.length * MAX_OCTETS_OF_UNIT);
    this.#end += this.#octets.write(text, this.#end);
  }

  /** Appends a number as JSON has it. */
  number(value: number): void {
    if (!Number.isInteger(value) || value < 0 || value > MAX_SMALL) {
      this.ascii(JSON.stringify(value));
      return;
    }
    let digits = 1;
    for (let power = 10; power <= value; power *= 10) digits++;
    this.#digits(value, digits);
  }

  /** Appends a time, in milliseconds since 1970, as `Date.prototype.toISOString` formats it. */
  time(milliseconds: number): void {
    const second = Math.floor(milliseconds / 1_000);
    if (second !== this.#second) {
      this.#second = second;
      this.#secondText = new Date(milliseconds).toISOString().slice(0, -'000Z'.length);
    }
    this.ascii(this.#secondText);
    this.#digits(Math.floor(milliseconds) - second * 1_000, 3);
    this.ascii('Z');
  }

  #digits(value: number, digits: number): void {
    this.#reserve(digits);
    let rest = value;
    for (let index = this.#end + digits - 1; index >= this.#end; index--) {
      const tenth = Math.floor(rest / 10);
      this.#octets[index] = ZERO + rest - tenth * 10;
      rest = tenth;
    }
    this.#end += digits;
  }

  /** Makes room for octets behind the text. */
  #reserve(octets: number): void {
    const needed = this.#end + octets;
    if (needed <= this.#octets.length) return;
    const larger = Buffer.allocUnsafeSlow(needed * 2);
    larger.set(this.#octets.subarray(0, this.#end));
    this.#octets = larger;
  }

  #endText(): void {
    if (this.#end > MAX_BLOCK_OCTETS && this.#lines > 0) this.#writeLines();
    this.#lineStart = this.#end;
    this.#lines++;
    if (!this.#isJoined || this.#end > MAX_BLOCK_OCTETS) this.#writeLines();
    else if (!this.#isScheduled) this.#scheduleFlush();
  }

  #scheduleFlush(): void {
    this.#isScheduled = true;
    setImmediate(this.#onTurnEnd);
  }

  readonly #onTurnEnd = (): void => {
    this.#isScheduled = false;
    this.flush();
  };

  /** Writes the whole lines, and moves the rest to the beginning. */
  #writeLines(): void {
    // A copy: the stream keeps the block until the reader of a pipe takes it.
    const block = Buffer.from(this.#octets.subarray(0, this.#lineStart));
    const lines = this.#lines;
    const rest = this.#octets.subarray(this.#lineStart, this.#end);
    if (this.#octets.length > CAPACITY_OCTETS && rest.length < CAPACITY_OCTETS) {
      this.#octets = Buffer.allocUnsafeSlow(CAPACITY_OCTETS);
    }
    this.#octets.set(rest);
    this.#lineStart = 0;
    this.#end = rest.length;
    this.#lines = 0;
    this.#write(block, lines);
  }
}

/** The destination of lines: a buffer, or a function that gets each line at once. */
export type Lines = LogBuffer | ((line: string) => void);

/** Returns the buffer, or one that passes each line to the function. */
export function bufferOf(lines: Lines): LogBuffer {
  if (lines instanceof LogBuffer) return lines;
  return new LogBuffer((block) => lines(Buffer.from(block).toString()), { isJoined: false });
}

/**
 * POSIX's `PIPE_BUF` on Linux: a pipe takes such a block whole or not at all. So workers that share
 * a pipe never write into the lines of another.
 */
const MAX_BLOCK_OCTETS = 4_096;
/** A block, and a line of usual length behind it. */
const CAPACITY_OCTETS = 2 * MAX_BLOCK_OCTETS;
/** The octets in UTF-8 of one UTF-16 code unit. */
const MAX_OCTETS_OF_UNIT = 3;
const MAX_SMALL = 0x7fff_ffff;
const LINE_FEED = 10;
const ZERO = 48;
