/**
 * Returns true if an address in the fields of senders and recipients has a domain that is not fully qualified (RFC 6409 §4.2). An
 * address without a domain counts as qualified, and so does text outside the grammar of RFC 5322 §3.4: a server that refuses
 * those refuses much of what is sent. Reads each octet a bounded number of times, whatever the header holds.
 */
export function hasUnqualifiedAddress(header: Octets): boolean {
  for (let lineAt = 0; lineAt < header.length; ) {
    const valueAt = afterName(header, lineAt);
    const addresses = new AddressList(header, valueAt ?? lineAt);
    if (valueAt !== undefined && addresses.hasUnqualified()) return true;
    lineAt = addresses.skipField();
  }
  return false;
}

/** The octets of a header. */
export type Octets = ArrayLike<number>;

/** Where the value of a field begins whose name is one of {@link NAMES}; undefined for another line. */
function afterName(header: Octets, from: number): number | undefined {
  const begin = startsWith(header, from, RESENT) ? from + RESENT.length : from;
  for (const name of NAMES) {
    if (!startsWith(header, begin, name)) continue;
    let at = begin + name.length;
    while (isBlank(header[at])) at++;
    if (header[at] === COLON) return at + 1;
  }
  return undefined;
}

/** Compares with a name in lower case, without regard to the case of letters. */
function startsWith(header: Octets, from: number, name: string): boolean {
  for (let at = 0; at < name.length; at++) {
    const octet = header[from + at] ?? 0;
    const isUpperCase = octet >= UPPER_A && octet <= UPPER_Z;
    if ((isUpperCase ? octet + LOWER_CASE : octet) !== name.charCodeAt(at)) return false;
  }
  return true;
}

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
  hasUnqualified(): boolean {
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

  /** Where the next field begins. */
  skipField(): number {
    while (!this.#isOver()) this.#at++;
    return this.#at + 1;
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
    return hasDot || length === 0 || (length === LOCALHOST.length && startsWith(this.#header, from, LOCALHOST));
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

function isBlank(octet: number | undefined): boolean {
  return octet === 0x20 || octet === 0x09;
}

function isDomainOctet(octet: number | undefined): boolean {
  return octet !== undefined && ENDS_DOMAIN[octet] === 0;
}

/** In lower case. */
const NAMES = ['from', 'sender', 'reply-to', 'to', 'cc', 'bcc'] as const;
const RESENT = 'resent-';
const LOCALHOST = 'localhost';
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
const UPPER_A = 0x41;
const UPPER_Z = 0x5a;
/** From an upper case letter to its lower case. */
const LOWER_CASE = 0x20;

/** By octet, 1 for white space and the specials of RFC 5322 §3.2.3, but the dot. */
const ENDS_DOMAIN = new Uint8Array(256);
for (const octet of Buffer.from(' \t\r\n()<>[]:;@\\,"')) ENDS_DOMAIN[octet] = 1;
