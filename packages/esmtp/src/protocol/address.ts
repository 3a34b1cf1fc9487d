import type { AddressFault } from './address-faults.ts';
import { type Characters, exceedsOctets, hasUnsafeCharacter, isAscii } from './characters.ts';
import { domainFault, endOfDomain, isAddressLiteral } from './domain.ts';
import { endOfAtoms, endOfQuoted, hasLooseDots, isDotString, unquote } from './local-part.ts';
import { STRICT, type Tolerance } from './tolerance.ts';

/**
 * A mailbox (RFC 5321 §4.1.2, RFC 6531 §3.3). The constructor checks nothing: {@link parseMailbox}
 * does.
 *
 * @example
 * ```ts
 * import { Mailbox } from '@postern/esmtp';
 *
 * const mailbox = new Mailbox('ann smith', 'example.com');
 * console.log(String(mailbox)); // "ann smith"@example.com
 * ```
 */
export class Mailbox {
  /**
   * The local part without quotes and backslashes, in the client's case: `"joe"@x` and `joe@x` are
   * the same mailbox.
   */
  readonly localPart: string;
  /**
   * A domain, or an address literal with its brackets, in the client's case. Empty for the bare
   * `Postmaster`, and for a user such as `<joe>` of LMTP.
   */
  readonly domain: string;
  /** The mailbox as a command holds it; undefined until {@link toString} has made it. */
  #text: string | undefined = undefined;
  /** True if the parser has seen that the mailbox is ASCII. */
  #isPlain = false;

  constructor(localPart: string, domain: string) {
    this.localPart = localPart;
    this.domain = domain;
  }

  /**
   * Returns a mailbox that is written without quotes wherever the dots of its local part are:
   * `a..b@example.com`.
   */
  static withLooseDots(localPart: string, domain: string): Mailbox {
    const mailbox = new Mailbox(localPart, domain);
    mailbox.#text = joined(localPart, domain);
    return mailbox;
  }

  /**
   * @internal Returns the mailbox of a dot-atom and a domain in ASCII. `at` is the index of its @.
   */
  static plain(text: string, at: number): Mailbox {
    const mailbox = new Mailbox(text.slice(0, at), text.slice(at + 1));
    mailbox.#text = text;
    mailbox.#isPlain = true;
    return mailbox;
  }

  /** True if the mailbox is ASCII: a client may send it without SMTPUTF8. */
  get isAscii(): boolean {
    return this.#isPlain || (isAscii(this.localPart) && isAscii(this.domain));
  }

  /** Returns the mailbox as a command holds it, with quotes where the local part needs them. */
  toString(): string {
    this.#text ??= joined(quoteIfNeeded(this.localPart), this.domain);
    return this.#text;
  }
}

function quoteIfNeeded(localPart: string): string {
  return isDotString(localPart) ? localPart : `"${localPart.replace(/["\\]/g, '\\$&')}"`;
}

function joined(local: string, domain: string): string {
  return domain === '' ? local : `${local}@${domain}`;
}

/** The sender of a message; null for `<>`, the reverse-path of a notification (RFC 5321 §4.5.5). */
export type ReversePath = Mailbox | null;

/** A recipient of a message. */
export type ForwardPath = Mailbox;

/** A path that was read from the beginning of a text, and the index behind it. */
export interface ReadPath<P> {
  readonly path: P;
  readonly end: number;
}

/** The parts of the tolerance that concern addresses. */
export type AddressTolerance = Pick<Tolerance, 'bareUsers' | 'missingBrackets' | 'looseDots'>;

/**
 * Reads a reverse-path, in angle brackets, from the beginning of the text. Returns it or its fault.
 */
export function readReversePath(
  text: Characters,
  tolerance: AddressTolerance = STRICT,
): ReadPath<ReversePath> | AddressFault {
  return text.charCodeAt(0) === LESS && text.charCodeAt(1) === GREATER ? NULL_PATH : readPath(text, tolerance, isNever);
}

/**
 * Reads a forward-path, in angle brackets, from the beginning of the text. Returns it or its fault.
 * The bare `<Postmaster>` is a forward-path (RFC 5321 §4.1.1.3).
 */
export function readForwardPath(
  text: Characters,
  tolerance: AddressTolerance = STRICT,
): ReadPath<ForwardPath> | AddressFault {
  return readPath(text, tolerance, tolerance.bareUsers ? isAlways : isPostmaster);
}

/**
 * Parses a text that is a mailbox and nothing else, without angle brackets: `ann@example.com`.
 * Returns undefined for any other text.
 */
export function parseMailbox(text: string): Mailbox | undefined {
  if (text.startsWith('@')) return undefined;
  const read = readPath(`<${text}>`, STRICT, isNever);
  return typeof read === 'object' && read.end === text.length + 2 ? read.path : undefined;
}

/**
 * Returns true if the domain means the same on every host: it has several labels, is an address
 * literal, or is `localhost` (RFC 6761 §6.3). A mailbox without a domain also qualifies: the bare
 * `Postmaster`, and a local user of LMTP.
 */
export function isQualified({ domain }: Mailbox): boolean {
  return domain === '' || domain.startsWith('[') || domain.includes('.') || /^localhost$/i.test(domain);
}

/** Reads a path with or without a domain. Looks at each character a bounded number of times. */
function readPath(
  text: Characters,
  { missingBrackets, looseDots }: AddressTolerance,
  isLocalUser: (localPart: string) => boolean,
): ReadPath<Mailbox> | AddressFault {
  const isBracketed = text.charCodeAt(0) === LESS;
  if (!isBracketed && !missingBrackets) return 'no-brackets';
  const from = isBracketed ? 1 : 0;
  const localStart = endOfRoute(text, from);
  if (typeof localStart === 'string') return localStart;

  const isQuoted = text.charCodeAt(localStart) === QUOTE;
  const localEnd = isQuoted ? endOfQuoted(text, localStart) : endOfAtoms(text, localStart);
  if (typeof localEnd === 'string') return localEnd;
  const written = text.slice(localStart, localEnd);
  const localPart = isQuoted ? unquote(written) : written;
  const hasDomain = text.charCodeAt(localEnd) === AT;
  const isWhole = hasDomain || isEnd(text, localEnd, isBracketed);
  if (!isWhole) return localPartFault(text, localEnd, isQuoted);
  if (written === '') return hasDomain ? 'empty-local-part' : 'empty-path';
  const isLoose = !isQuoted && hasLooseDots(written);
  if (isLoose && !looseDots) return 'local-part-dots';

  const domainStart = localEnd + 1;
  const end = hasDomain ? endOfHost(text, domainStart) : localEnd;
  if (typeof end === 'string') return end;
  if (!hasDomain && !(localStart === from && localPart !== '' && isLocalUser(localPart))) return 'no-domain';
  const domain = hasDomain ? text.slice(domainStart, end) : '';
  const fault = hasDomain ? hostFault(domain) : undefined;
  if (fault !== undefined) return fault;
  if (!isEnd(text, end, isBracketed)) return domainEndFault(text, end);

  const pathEnd = isBracketed ? end + 1 : end;
  const path = text.slice(0, pathEnd);
  if (exceedsOctets(path, MAX_PATH_OCTETS)) return 'long-path';
  if (hasUnsafeCharacter(path)) return 'unsafe-character';
  return { path: isLoose ? Mailbox.withLooseDots(localPart, domain) : new Mailbox(localPart, domain), end: pathEnd };
}

/**
 * Returns the index of the local part, behind a source route, which is ignored (RFC 5321 §4.1.1.3).
 */
function endOfRoute(text: Characters, from: number): number | AddressFault {
  if (text.charCodeAt(from) !== AT) return from;
  let hop = from;
  for (;;) {
    const end = endOfDomain(text, hop + 1);
    const next = text.charCodeAt(end);
    if (next === GREATER && hop === from) return 'empty-local-part';
    if (domainFault(text.slice(hop + 1, end)) !== undefined) return 'source-route';
    if (next === COLON) return end + 1;
    if (next !== COMMA || text.charCodeAt(end + 1) !== AT) return 'source-route';
    hop = end + 1;
  }
}

/**
 * Returns true at the end of the path: at its closing bracket, or without brackets at a space or
 * the end of the text.
 */
function isEnd(text: Characters, index: number, isBracketed: boolean): boolean {
  const code = text.charCodeAt(index);
  return isBracketed ? code === GREATER : Number.isNaN(code) || code === SPACE;
}

function localPartFault(text: Characters, index: number, isQuoted: boolean): AddressFault {
  if (index >= text.length) return 'no-closing-bracket';
  if (isQuoted) return 'after-quoted';
  return text.charCodeAt(index) === SPACE ? 'local-part-blank' : 'local-part-character';
}

/** Returns the index behind the domain or address literal that begins at `from`, or its fault. */
function endOfHost(text: Characters, from: number): number | AddressFault {
  if (text.charCodeAt(from) !== OPEN_BRACKET) return endOfDomain(text, from);
  for (let index = from + 1; index < text.length && index - from <= MAX_PATH_OCTETS; index++) {
    const code = text.charCodeAt(index);
    if (code === CLOSE_BRACKET) return index + 1;
    if (code <= SPACE || code >= 0x7f) break;
  }
  return 'address-literal';
}

function hostFault(host: string): AddressFault | undefined {
  if (host.startsWith('[')) return isAddressLiteral(host) ? undefined : 'address-literal';
  return domainFault(host);
}

function domainEndFault(text: Characters, index: number): AddressFault {
  if (index >= text.length) return 'no-closing-bracket';
  if (text.charCodeAt(index) !== SPACE) return 'domain-character';
  return text.slice(index).includes('>') ? 'domain-blank' : 'no-closing-bracket';
}

const isNever = (): boolean => false;
const isAlways = (): boolean => true;
const isPostmaster = (localPart: string): boolean => /^postmaster$/i.test(localPart);

const NULL_PATH: ReadPath<null> = { path: null, end: 2 };
/**
 * RFC 5321 §4.5.3.1.3. A local part has no bound of its own: 64 octets is the least that a server
 * must accept, and no limit (§4.5.3.1.1).
 */
const MAX_PATH_OCTETS = 256;

const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const LESS = 0x3c;
const GREATER = 0x3e;
const AT = 0x40;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
