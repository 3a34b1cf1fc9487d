import { fieldKind } from './field-kind.ts';
import { HeaderReader, isBlank, matchesName, nameOctets } from './header-reader.ts';

/** Returns the offsets of the values of the fields with addresses in a whole header. */
export function addressValues(header: Uint8Array): readonly number[] {
  const values: number[] = [];
  const reader = new HeaderReader({
    field(octets, from, nameLength, valueFrom) {
      const kind = fieldKind(octets, from, nameLength);
      if (kind === 'address' || kind === 'bcc') values.push(valueFrom);
    },
    end() {},
  });
  reader.read(header);
  return values;
}

/**
 * Returns true if a field value has an address whose domain is not fully qualified (RFC 6409 §4.2).
 * The field values begin at the offsets `values`. An address without a domain counts as qualified,
 * and so does text outside the grammar of RFC 5322 §3.4: a server that refuses such text refuses
 * much of the mail that is sent. Reads each octet a bounded number of times, whatever the header
 * holds.
 */
export function hasUnqualifiedDomain(header: Octets, values: readonly number[]): boolean {
  return values.some((from) => new AddressList(header, from).hasUnqualifiedDomain());
}

/** The octets of a header. */
export type Octets = ArrayLike<number>;

/**
 * The value of one field, with its folded lines. Text before angle brackets is a display name
 * (RFC 5322 §3.4).
 */
class AddressList {
  readonly #header: Octets;
  #index: number;
  /** Between the last `[` and this index there is no `]`: the search for a `]` begins here. */
  #closerFrom = 0;

  constructor(header: Octets, from: number) {
    this.#header = header;
    this.#index = from;
  }

  /** Returns at the first domain that is not fully qualified. */
  hasUnqualifiedDomain(): boolean {
    // A domain outside brackets counts only if no bracket follows: otherwise it is part of a
    // display name.
    let isPending = false;
    let inBrackets = false;
    while (!this.#isOver()) {
      const octet = this.#header[this.#index++];
      if (octet === QUOTE) this.#skipQuoted();
      else if (octet === OPEN) this.#skipComment();
      else if (octet === AT) {
        if (this.#skipDomain()) continue;
        if (inBrackets) return true;
        isPending = true;
      } else if (octet === LESS) {
        isPending = false;
        inBrackets = true;
      } else if (octet === GREATER) inBrackets = false;
      else if (isPending && !inBrackets && (octet === COMMA || octet === SEMICOLON || octet === COLON)) return true;
    }
    return isPending;
  }

  /** Returns true at a line end that no blank follows. A bare CR or LF ends the field too. */
  #isOver(): boolean {
    const octet = this.#header[this.#index];
    if (octet === undefined || octet === LF) return true;
    if (octet !== CR) return false;
    if (this.#header[this.#index + 1] !== LF || !isBlank(this.#header[this.#index + 2])) return true;
    this.#index += 2;
    return false;
  }

  #skipQuoted(): void {
    for (; !this.#isOver(); this.#index++) {
      const octet = this.#header[this.#index];
      if (octet === BACKSLASH) this.#skipPair();
      else if (octet === QUOTE) break;
    }
    if (!this.#isOver()) this.#index++;
  }

  /** Skips a comment with the comments in it. */
  #skipComment(): void {
    for (let depth = 1; depth > 0 && !this.#isOver(); this.#index++) {
      const octet = this.#header[this.#index];
      if (octet === BACKSLASH) this.#skipPair();
      else if (octet === OPEN) depth++;
      else if (octet === CLOSE) depth--;
    }
  }

  /** Skips the octet behind a backslash, unless the field ends there. */
  #skipPair(): void {
    this.#index++;
    if (this.#isOver()) this.#index--;
  }

  /** Skips the domain behind an `@`. Returns false if the domain is not fully qualified. */
  #skipDomain(): boolean {
    while (!this.#isOver() && isBlank(this.#header[this.#index])) this.#index++;
    if (this.#header[this.#index] === OPEN_BRACKET) return this.#skipLiteral();
    const from = this.#index;
    let hasDot = false;
    for (; isDomainOctet(this.#header[this.#index]); this.#index++) hasDot ||= this.#header[this.#index] === DOT;
    const length = this.#index - from;
    return hasDot || length === 0 || matchesName(this.#header, from, length, LOCALHOST);
  }

  /**
   * Skips an address literal, which is fully qualified. Without a `]`, the text is read like any
   * other text.
   */
  #skipLiteral(): true {
    const from = this.#index;
    this.#index = Math.max(from, this.#closerFrom);
    while (!this.#isOver() && this.#header[this.#index] !== CLOSE_BRACKET && this.#index - from <= MAX_LITERAL_OCTETS) {
      this.#index++;
    }
    this.#closerFrom = this.#index;
    if (this.#header[this.#index] !== CLOSE_BRACKET) this.#index = from;
    return true;
  }
}

function isDomainOctet(octet: number | undefined): boolean {
  return octet !== undefined && ENDS_DOMAIN[octet] === 0;
}

const LOCALHOST = nameOctets('localhost');
const MAX_LITERAL_OCTETS = 300;

const LF = 0x0a;
const CR = 0x0d;
const QUOTE = 0x22;
const OPEN = 0x28;
const CLOSE = 0x29;
const COMMA = 0x2c;
const DOT = 0x2e;
const COLON = 0x3a;
const SEMICOLON = 0x3b;
const LESS = 0x3c;
const GREATER = 0x3e;
const AT = 0x40;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;

/**
 * For each octet 1 if it ends a domain: white space and the specials of RFC 5322 §3.2.3, without
 * the dot.
 */
const ENDS_DOMAIN = new Uint8Array(256);
for (const octet of Buffer.from(' \t\r\n()<>[]:;@\\,"')) ENDS_DOMAIN[octet] = 1;
