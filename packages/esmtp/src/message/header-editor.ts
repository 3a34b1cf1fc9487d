import { fieldKind } from './field-kind.ts';
import { addressValues, hasUnqualifiedDomain } from './header-addresses.ts';
import { type HeaderListener, HeaderReader } from './header-reader.ts';

/** The text that goes before a header. */
export interface MissingFields {
  /** The fields that every message gets, with their line ends, in octets: `Received:`. */
  readonly trace: Buffer;
  /** Returns a `Date` field without its line end. */
  date(): string;
  /** Returns a `Message-ID` field without its line end. */
  messageId(): string;
}

/**
 * Edits the header of a message, chunk by chunk. The editor removes `Bcc` fields of any length,
 * with their folded lines (RFC 5322 §3.6.3, §3.6.6). It adds a missing `Date` and `Message-ID`
 * before the header (RFC 6409 §8.2, §8.3): the client's octets stay together and unchanged. For
 * that it holds the header back until the header has both fields or ends. A header over 64 KiB gets
 * no field.
 */
export class HeaderEditor implements HeaderListener {
  readonly #reader: HeaderReader;
  readonly #removeBcc: boolean;
  /** Undefined once the editor has added what is missing, or if it adds no field. */
  #missingFields: MissingFields | undefined;
  #hasEnded = false;
  #hasDate = false;
  #hasMessageId = false;
  /** True if a line of text begins the message, without a field or an empty line before it. */
  #beginsWithText = false;
  /** True while the lines belong to a field that is removed. */
  #removesField = false;
  /** The length of the edited part of the octets that are being read. */
  #editedOctets = 0;
  /** The offset of the part that is not edited yet. */
  #restFrom = 0;
  /** The header so far, in a buffer that doubles when it is full: chunks may be single octets. */
  #held: Buffer = NO_OCTETS;
  #heldOctets = 0;
  #headerOctets = 0;
  #hasUnqualifiedDomain = false;

  /**
   * @param removeBcc True to remove the fields `Bcc` and `Resent-Bcc`.
   * @param missingFields The fields for a header that lacks them; undefined to add no field.
   */
  constructor(removeBcc: boolean, missingFields: MissingFields | undefined) {
    this.#removeBcc = removeBcc;
    this.#missingFields = missingFields;
    this.#reader = new HeaderReader(removeBcc || missingFields !== undefined ? this : undefined);
  }

  /**
   * The number of `Received:` fields so far, as {@link HeaderReader.receivedFields} counts them.
   */
  get receivedFields(): number {
    return this.#reader.receivedFields;
  }

  /** True while the header is held back because a field may be missing. */
  get holdsHeader(): boolean {
    return this.#missingFields !== undefined;
  }

  /** The size of the buffer that holds the header back, in octets. */
  get bufferOctets(): number {
    return this.#held.length;
  }

  /**
   * True if the editor added a field to a header in which the domain of an address is not fully
   * qualified: a server that changes a message checks these domains (RFC 6409 §4.2).
   */
  get hasUnqualifiedDomain(): boolean {
    return this.#hasUnqualifiedDomain;
  }

  /**
   * Returns the next chunk without `Bcc` fields. Overwrites the chunk if it removes one, and may
   * hold back the beginning of a line.
   */
  read(chunk: Uint8Array): Uint8Array {
    if (this.#reader.isOver) return chunk;
    const octets = this.#reader.read(chunk);
    this.#editUpTo(octets, octets.length);
    const length = this.#editedOctets;
    this.#editedOctets = 0;
    this.#restFrom = 0;
    return length === octets.length ? octets : octets.subarray(0, length);
  }

  /**
   * Takes octets that `read` has returned, while {@link holdsHeader} is true. Returns undefined if
   * the editor holds them back; otherwise the octets that go before them: the trace, the added
   * fields and the header so far.
   */
  hold(octets: Uint8Array): Buffer | undefined {
    const octetsBefore = this.#heldOctets;
    const isKnown = this.#hasEnded || (this.#hasDate && this.#hasMessageId);
    if (isKnown && octetsBefore === 0) return this.#fieldsBefore(octets);
    this.#append(octets);
    if (!isKnown && this.#heldOctets <= MAX_HEADER_OCTETS) return undefined;
    const header = this.#held;
    this.#held = NO_OCTETS;
    const fields = this.#fieldsBefore(isKnown ? header : undefined);
    return Buffer.concat([fields, header.subarray(0, octetsBefore)]);
  }

  /**
   * Ends the message. Returns the octets that are held back, with the trace and the added fields
   * before them.
   */
  finish(): Uint8Array {
    const rest = this.#reader.end();
    if (this.#missingFields === undefined) return rest;
    this.#append(rest);
    const octets = this.#held.subarray(0, this.#heldOctets);
    return Buffer.concat([this.#fieldsBefore(octets), octets]);
  }

  /** Called by the reader for each field. */
  field(octets: Uint8Array, from: number, nameLength: number): void {
    this.#editUpTo(octets, from);
    const kind = fieldKind(octets, from, nameLength);
    this.#removesField = kind === 'bcc' && this.#removeBcc;
    if (kind === 'date') this.#hasDate = true;
    else if (kind === 'message-id') this.#hasMessageId = true;
  }

  /** Called by the reader at the end of the header. */
  end(octets: Uint8Array, from: number): void {
    this.#editUpTo(octets, from);
    this.#removesField = false;
    this.#hasEnded = true;
    this.#headerOctets = this.#heldOctets + this.#editedOctets;
    this.#beginsWithText = this.#headerOctets === 0 && from < octets.length && octets[from] !== CR;
  }

  /** Keeps or removes the octets up to an offset, by the field that they belong to. */
  #editUpTo(octets: Uint8Array, to: number): void {
    if (!this.#removesField) {
      if (this.#editedOctets !== this.#restFrom) octets.copyWithin(this.#editedOctets, this.#restFrom, to);
      this.#editedOctets += to - this.#restFrom;
    }
    this.#restFrom = to;
  }

  /**
   * Returns the trace and the fields that go before the message. Without `octets`, which begin with
   * the whole header, no field is added.
   */
  #fieldsBefore(octets: Uint8Array | undefined): Buffer {
    const fields = this.#missingFields;
    this.#missingFields = undefined;
    if (fields === undefined) return NO_OCTETS;
    if (octets === undefined || (this.#hasDate && this.#hasMessageId)) return fields.trace;
    // Few messages lack a field: the others need no list of their addresses.
    const header = octets.subarray(0, this.#headerOctets);
    this.#hasUnqualifiedDomain = hasUnqualifiedDomain(header, addressValues(header));
    const date = this.#hasDate ? '' : `${fields.date()}\r\n`;
    const messageId = this.#hasMessageId ? '' : `${fields.messageId()}\r\n`;
    // An empty line parts the added fields from the text of a message without a header.
    const added = `${date}${messageId}${this.#beginsWithText ? '\r\n' : ''}`;
    return Buffer.concat([fields.trace, Buffer.from(added)]);
  }

  #append(octets: Uint8Array): void {
    const length = this.#heldOctets + octets.length;
    if (length > this.#held.length) {
      const larger = Buffer.allocUnsafe(Math.max(2 * this.#held.length, length, MIN_BUFFER_OCTETS));
      this.#held.copy(larger, 0, 0, this.#heldOctets);
      this.#held = larger;
    }
    this.#held.set(octets, this.#heldOctets);
    this.#heldOctets = length;
  }
}

const NO_OCTETS = Buffer.alloc(0);
const CR = 0x0d;
const MIN_BUFFER_OCTETS = 4_096;
const MAX_HEADER_OCTETS = 64 * 1024;
