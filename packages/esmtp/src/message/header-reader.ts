/**
 * The consumer of a {@link HeaderReader}. Each offset counts from the beginning of `octets`, the
 * octets that the current call of {@link HeaderReader.read} returns.
 */
export interface HeaderListener {
  /**
   * Called for each field: its name begins at `from`, its value at `valueFrom`, behind the colon.
   */
  field(octets: Uint8Array, from: number, nameLength: number, valueFrom: number): void;
  /**
   * Called once, for the first line that is not part of a field: the empty line, or a line of text.
   */
  end(octets: Uint8Array, from: number): void;
}

/**
 * Reads the header of a message once, chunk by chunk (RFC 5322 §2.2). The reader finds the fields
 * and the end of the header. It parses the beginning of each line, and skips the rest with
 * `indexOf`.
 */
export class HeaderReader {
  readonly #listener: HeaderListener | undefined;
  #isOver = false;
  #receivedFields = 0;
  /** The octets that earlier calls of `read` have returned. */
  #octetsBefore = 0;
  #headerOctets: number | undefined = undefined;
  /** True once the listener needs no more lines: then the reader only counts `Received:` fields. */
  #hasEnded: boolean;
  #isFirstLine = true;
  #atLineStart = true;
  /** A copy of the beginning of a line that needs more octets to be known as a field or as text. */
  #held: Uint8Array = NO_OCTETS;

  constructor(listener?: HeaderListener) {
    this.#listener = listener;
    this.#hasEnded = listener === undefined;
  }

  /** True once the empty line has come: the reader ignores the rest of the message. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /**
   * The length of the message before its empty line, in octets; undefined until that line has come.
   */
  get headerOctets(): number | undefined {
    return this.#headerOctets;
  }

  /**
   * The number of `Received:` fields so far (RFC 5321 §6.3). The count includes fields behind a
   * line of text, up to the empty line: one such line must not hide a mail loop.
   */
  get receivedFields(): number {
    return this.#receivedFields;
  }

  /**
   * Reads the next chunk. Returns the octets that the last call held back, and the chunk without
   * the octets that this call holds back. The reader holds back at most one beginning of a line.
   */
  read(chunk: Uint8Array): Uint8Array {
    if (this.#isOver) return chunk;
    const octets = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    this.#held = NO_OCTETS;
    const length = this.#readLines(octets);
    this.#octetsBefore += length;
    if (length === octets.length) return octets;
    // A copy: the caller may overwrite the chunk, and the `slice` of a Buffer is a view.
    this.#held = new Uint8Array(octets.subarray(length));
    return octets.subarray(0, length);
  }

  /** Ends the message. Returns the octets that the last `read` held back: they are text. */
  end(): Uint8Array {
    const held = this.#held;
    this.#held = NO_OCTETS;
    if (!this.#hasEnded) this.#end(held, 0);
    return held;
  }

  /**
   * Returns the number of octets that are read: fewer than there are if a line's beginning is held
   * back.
   */
  #readLines(octets: Uint8Array): number {
    let index = 0;
    while (index < octets.length) {
      if (this.#atLineStart && !this.#startLine(octets, index)) return index;
      if (this.#isOver) break;
      const lineFeed = octets.indexOf(LF, index);
      this.#atLineStart = lineFeed >= 0;
      if (lineFeed < 0) break;
      index = lineFeed + 1;
    }
    return octets.length;
  }

  /** Returns false if the line at `from` needs more octets. */
  #startLine(octets: Uint8Array, from: number): boolean {
    const first = octets[from] as number;
    if (first === CR && from + 1 === octets.length) return false;
    if (first === CR && octets[from + 1] === LF) {
      this.#isOver = true;
      this.#headerOctets = this.#octetsBefore + from;
      if (!this.#hasEnded) this.#end(octets, from);
      return true;
    }
    if (this.#hasEnded) return this.#countIfReceived(octets, from);
    // A folded line belongs to the field before it.
    if (isBlank(first) && !this.#isFirstLine) return true;
    const nameEnd = skipName(octets, from);
    const colon = nameEnd === from ? from : skipBlanks(octets, nameEnd);
    if (colon === octets.length && colon - from <= MAX_NAME_OCTETS) return false;
    const isField = colon > from && colon - from <= MAX_NAME_OCTETS && octets[colon] === COLON;
    this.#isFirstLine = false;
    if (!isField) {
      this.#end(octets, from);
      return true;
    }
    const nameLength = nameEnd - from;
    if (colon === nameEnd && matchesName(octets, from, nameLength, RECEIVED)) this.#receivedFields++;
    this.#listener?.field(octets, from, nameLength, colon + 1);
    return true;
  }

  /**
   * Compares the line with `Received:`, without a look at the rest of it: behind a line of text it
   * may be the body.
   */
  #countIfReceived(octets: Uint8Array, from: number): boolean {
    for (let index = 0; index < RECEIVED.length; index++) {
      if (from + index === octets.length) return false;
      if (((octets[from + index] as number) | LOWER_CASE) !== RECEIVED[index]) return true;
    }
    const colon = from + RECEIVED.length;
    if (colon === octets.length) return false;
    if (octets[colon] === COLON) this.#receivedFields++;
    return true;
  }

  #end(octets: Uint8Array, from: number): void {
    this.#hasEnded = true;
    this.#listener?.end(octets, from);
  }
}

/**
 * Returns true if the octets at `from` are `name`, which is in lower case. Ignores the case of
 * letters.
 */
export function matchesName(octets: ArrayLike<number>, from: number, length: number, name: Uint8Array): boolean {
  if (length !== name.length) return false;
  for (let index = 0; index < length; index++) {
    if (((octets[from + index] as number) | LOWER_CASE) !== name[index]) return false;
  }
  return true;
}

/** Returns true for a space or a tab (RFC 5322 §2.2.3). */
export function isBlank(octet: number | undefined): boolean {
  return octet === 0x20 || octet === 0x09;
}

/** Returns the octets of a name in lower case, to compare with {@link matchesName}. */
export function nameOctets(name: string): Uint8Array {
  return new TextEncoder().encode(name);
}

/** A field name has printable characters of ASCII, without the colon (RFC 5322 §2.2). */
function skipName(octets: Uint8Array, from: number): number {
  let index = from;
  for (; index < octets.length; index++) {
    const octet = octets[index] as number;
    if (octet <= 0x20 || octet >= 0x7f || octet === COLON) break;
  }
  return index;
}

/** Blanks may follow a name (RFC 5322 §4.5.3). */
function skipBlanks(octets: Uint8Array, from: number): number {
  let index = from;
  while (index < octets.length && isBlank(octets[index])) index++;
  return index;
}

const NO_OCTETS = new Uint8Array(0);
const LF = 0x0a;
const CR = 0x0d;
const COLON = 0x3a;
/** This bit makes an upper case letter of ASCII a lower case letter. */
const LOWER_CASE = 0x20;
const RECEIVED = nameOctets('received');
/**
 * A line has at most 998 octets (RFC 5322 §2.1.1): a colon beyond them does not end a field name.
 */
const MAX_NAME_OCTETS = 998;
