import { isBlank, matchesName, nameOctets } from './header-reader.ts';

/** Returns true if the field name at `from` is that of a field with the addresses of senders or recipients. */
export function isAddressField(octets: Uint8Array, from: number, nameLength: number): boolean {
  const isResent = nameLength > RESENT.length && matchesName(octets, from, RESENT.length, RESENT);
  const prefixLength = isResent ? RESENT.length : 0;
  for (const name of ADDRESS_FIELDS) {
    if (matchesName(octets, from + prefixLength, nameLength - prefixLength, name)) return true;
  }
  return false;
}

/**
 * Returns true if an address has a domain that is not fully qualified (RFC 6409 §4.2), in one of the field
 * values that begin at `values`. An address without a domain counts as qualified, and so does text outside
 * the grammar of RFC 5322 §3.4: a server that refuses such text refuses much of the mail that is sent.
 * Reads each octet a bounded number of times, whatever the header holds.
 */
export function hasUnqualifiedDomain(header: Octets, values: readonly number[]): boolean {
  return values.some((from) => new AddressList(header, from).hasUnqualifiedDomain());
}

/** The octets of a header. */
export type Octets = ArrayLike<number>;

/** The value of one field, with its folds. Text before angle brackets is a display name, whatever it looks like. */
class AddressList {
  readonly #header: Octets;
  #at: number;
  /** No octet before this one, back to the latest `[` that was looked at, is a `]`: it is not looked for there again. */
  #closerFrom = 0;

  constructor(header: Octets, from: number) {
    this.#header = header;
    this.#at = from;
  }

  /** Stops at the first domain that decides. */
  hasUnqualifiedDomain(): boolean {
    /** A domain outside brackets counts only if no bracket follows it: until then it may belong to a display name. */
    let bare = false;
    let inBrackets = false;
    for (; !this.#isOver(); ) {
      const octet = this.#header[this.#at++];
      if (octet === QUOTE) this.#skipQuoted();
      else if (octet === OPEN) this.#skipComment();
      else if (octet === AT) {
        if (this.#skipDomain()) continue;
        if (inBrackets) return true;
        bare = true;
      } else if (octet === LESS) {
        bare = false;
        inBrackets = true;
      } else if (octet === GREATER) inBrackets = false;
      else if (bare && !inBrackets && (octet === COMMA || octet === SEMICOLON || octet === COLON)) return true;
    }
    return bare;
  }

  /** True at a line end that no blank follows. A lone CR or LF ends a field too. */
  #isOver(): boolean {
    const octet = this.#header[this.#at];
    if (octet === undefined || octet === LF) return true;
    if (octet !== CR) return false;
    if (this.#header[this.#at + 1] !== LF || !isBlank(this.#header[this.#at + 2])) return true;
    this.#at += 2;
    return false;
  }

  #skipQuoted(): void {
    for (; !this.#isOver(); this.#at++) {
      const octet = this.#header[this.#at];
      if (octet === BACKSLASH) this.#skipPair();
      else if (octet === QUOTE) break;
    }
    if (!this.#isOver()) this.#at++;
  }

  /** Comments nest. */
  #skipComment(): void {
    for (let depth = 1; depth > 0 && !this.#isOver(); this.#at++) {
      const octet = this.#header[this.#at];
      if (octet === BACKSLASH) this.#skipPair();
      else if (octet === OPEN) depth++;
      else if (octet === CLOSE) depth--;
    }
  }

  /** Stays at the backslash where the field ends behind it. */
  #skipPair(): void {
    this.#at++;
    if (this.#isOver()) this.#at--;
  }

  /** Skips what stands behind an `@`. False if that is a domain which is not fully qualified. */
  #skipDomain(): boolean {
    while (!this.#isOver() && isBlank(this.#header[this.#at])) this.#at++;
    if (this.#header[this.#at] === OPEN_BRACKET) return this.#skipLiteral();
    const from = this.#at;
    let hasDot = false;
    for (; isDomainOctet(this.#header[this.#at]); this.#at++) hasDot ||= this.#header[this.#at] === DOT;
    const length = this.#at - from;
    return hasDot || length === 0 || matchesName(this.#header, from, length, LOCALHOST);
  }

  /** An address literal is qualified. Without its `]` it is none, and its text is read like any other. */
  #skipLiteral(): true {
    const from = this.#at;
    this.#at = Math.max(from, this.#closerFrom);
    while (!this.#isOver() && this.#header[this.#at] !== CLOSE_BRACKET && this.#at - from <= MAX_LITERAL_OCTETS) {
      this.#at++;
    }
    this.#closerFrom = this.#at;
    if (this.#header[this.#at] !== CLOSE_BRACKET) this.#at = from;
    return true;
  }
}

function isDomainOctet(octet: number | undefined): boolean {
  return octet !== undefined && ENDS_DOMAIN[octet] === 0;
}

const ADDRESS_FIELDS = ['from', 'sender', 'reply-to', 'to', 'cc', 'bcc'].map(nameOctets);
const RESENT = nameOctets('resent-');
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

/** By octet, 1 for white space and the specials of RFC 5322 §3.2.3, but the dot. */
const ENDS_DOMAIN = new Uint8Array(256);
for (const octet of Buffer.from(' \t\r\n()<>[]:;@\\,"')) ENDS_DOMAIN[octet] = 1;
