import type { AddressFault } from './address-faults.ts';
import { isAscii } from './ascii.ts';
import { type Characters, domainFault, endOfDomain, exceeds, isAddressLiteral } from './domain.ts';
import { endOfAtoms, endOfQuoted, hasLooseDots, isDotString, unquoted } from './local-part.ts';
import { STRICT, type Tolerance } from './tolerance.ts';
import { hasUnsafeCharacter } from './unsafe-characters.ts';

/** A mailbox (RFC 5321 §4.1.2, RFC 6531 §3.3). */
export class Mailbox {
  /** Without quotes and backslashes: `"joe"@x` and `joe@x` are the same mailbox. Its case is kept. */
  readonly localPart: string;
  /** A domain, or an address literal with its brackets; empty only for the bare `Postmaster` and the user `<joe>` of LMTP. Its case is kept. */
  readonly domain: string;
  /** True if the local part is written as a lenient server heard it: with dots that otherwise need quotes. */
  #isLoose = false;

  constructor(localPart: string, domain: string) {
    this.localPart = localPart;
    this.domain = domain;
  }

  /** A mailbox whose local part, of atoms and dots, is written without quotes wherever its dots stand: `a..b@example.com`. */
  static withLooseDots(localPart: string, domain: string): Mailbox {
    const mailbox = new Mailbox(localPart, domain);
    mailbox.#isLoose = true;
    return mailbox;
  }

  /** True if it can be said without SMTPUTF8. */
  get isAscii(): boolean {
    return isAscii(this.localPart) && isAscii(this.domain);
  }

  /** As it is written in a command, quoted where the local part needs it. */
  toString(): string {
    const isBare = this.#isLoose || isDotString(this.localPart);
    const local = isBare ? this.localPart : `"${this.localPart.replace(/["\\]/g, '\\$&')}"`;
    return this.domain === '' ? local : `${local}@${this.domain}`;
  }
}

/** Where a message comes from; null is `<>`, the path of a notification that must not be answered. */
export type ReversePath = Mailbox | null;

/** Where a message goes. */
export type ForwardPath = Mailbox;

/** A path as it was read, and where it ends in the text. */
export interface ReadPath<P> {
  readonly path: P;
  readonly end: number;
}

/** What reading an address takes beyond the grammar. */
export type AddressTolerance = Pick<Tolerance, 'bareUsers' | 'missingBrackets' | 'looseDots'>;

/** Reads a reverse-path with its angle brackets off the beginning of the text; or returns what is wrong with it. */
export function readReversePath(
  text: Characters,
  tolerance: AddressTolerance = STRICT,
): ReadPath<ReversePath> | AddressFault {
  return text.charCodeAt(0) === LESS && text.charCodeAt(1) === GREATER
    ? NO_SENDER
    : readPath(text, tolerance, isNobody);
}

/**
 * Reads a forward-path with its angle brackets off the beginning of the text; or returns what is wrong with it. The bare
 * `<Postmaster>` is one (RFC 5321 §4.1.1.3).
 */
export function readForwardPath(
  text: Characters,
  tolerance: AddressTolerance = STRICT,
): ReadPath<ForwardPath> | AddressFault {
  return readPath(text, tolerance, tolerance.bareUsers ? isAnybody : isPostmaster);
}

/** Parses a text that is a mailbox and nothing else, without angle brackets; undefined if it is none. */
export function parseMailbox(text: string): Mailbox | undefined {
  if (text.startsWith('@')) return undefined;
  const read = readPath(`<${text}>`, STRICT, isNobody);
  return typeof read === 'object' && read.end === text.length + 2 ? read.path : undefined;
}

/**
 * True if the domain is the same wherever it is read: it has more than one label, or is an address literal, or `localhost` (RFC 6761
 * §6.3), or not there, as that of the bare `Postmaster` and of a local user at LMTP.
 */
export function isQualified({ domain }: Mailbox): boolean {
  return domain === '' || domain.startsWith('[') || domain.includes('.') || /^localhost$/i.test(domain);
}

/** Reads each character a bounded number of times. */
function readPath(
  text: Characters,
  { missingBrackets, looseDots }: AddressTolerance,
  isLocalUser: (localPart: string) => boolean,
): ReadPath<Mailbox> | AddressFault {
  const isBracketed = text.charCodeAt(0) === LESS;
  if (!isBracketed && !missingBrackets) return 'no-brackets';
  const from = isBracketed ? 1 : 0;
  const localAt = endOfRoute(text, from);
  if (typeof localAt === 'string') return localAt;

  const isQuoted = text.charCodeAt(localAt) === QUOTE;
  const localEnd = isQuoted ? endOfQuoted(text, localAt) : endOfAtoms(text, localAt);
  if (typeof localEnd === 'string') return localEnd;
  const written = text.slice(localAt, localEnd);
  const localPart = isQuoted ? unquoted(written) : written;
  const hasDomain = text.charCodeAt(localEnd) === AT;
  const isWhole = hasDomain || isEnd(text, localEnd, isBracketed);
  if (!isWhole) return localPartFault(text, localEnd, isQuoted);
  if (written === '') return hasDomain ? 'empty-local-part' : 'empty-path';
  const isLoose = !isQuoted && hasLooseDots(written);
  if (isLoose && !looseDots) return 'local-part-dots';

  const domainAt = localEnd + 1;
  const end = hasDomain ? endOfHost(text, domainAt) : localEnd;
  if (typeof end === 'string') return end;
  if (!hasDomain && !(localAt === from && localPart !== '' && isLocalUser(localPart))) return 'no-domain';
  const domain = hasDomain ? text.slice(domainAt, end) : '';
  const fault = hasDomain ? hostFault(domain) : undefined;
  if (fault !== undefined) return fault;
  if (!isEnd(text, end, isBracketed)) return domainEndFault(text, end);

  const pathEnd = isBracketed ? end + 1 : end;
  const path = text.slice(0, pathEnd);
  if (exceeds(path, MAX_PATH_OCTETS)) return 'long-path';
  if (hasUnsafeCharacter(path)) return 'unsafe-character';
  return { path: isLoose ? Mailbox.withLooseDots(localPart, domain) : new Mailbox(localPart, domain), end: pathEnd };
}

/** Returns where the local part begins, behind a source route, which is read and left out (RFC 5321 §4.1.1.3). */
function endOfRoute(text: Characters, from: number): number | AddressFault {
  if (text.charCodeAt(from) !== AT) return from;
  let at = from;
  for (;;) {
    const end = endOfDomain(text, at + 1);
    const next = text.charCodeAt(end);
    if (next === GREATER && at === from) return 'empty-local-part';
    if (domainFault(text.slice(at + 1, end)) !== undefined) return 'source-route';
    if (next === COLON) return end + 1;
    if (next !== COMMA || text.charCodeAt(end + 1) !== AT) return 'source-route';
    at = end + 1;
  }
}

/** True where the path is over: at its bracket, or without brackets at a blank or the end. */
function isEnd(text: Characters, at: number, isBracketed: boolean): boolean {
  const code = text.charCodeAt(at);
  return isBracketed ? code === GREATER : Number.isNaN(code) || code === BLANK;
}

function localPartFault(text: Characters, at: number, isQuoted: boolean): AddressFault {
  if (at >= text.length) return 'no-closing-bracket';
  if (isQuoted) return 'after-quoted';
  return text.charCodeAt(at) === BLANK ? 'local-part-blank' : 'local-part-character';
}

/** Where a domain or an address literal ends. */
function endOfHost(text: Characters, from: number): number | AddressFault {
  if (text.charCodeAt(from) !== OPEN_BRACKET) return endOfDomain(text, from);
  for (let at = from + 1; at < text.length && at - from <= MAX_PATH_OCTETS; at++) {
    const code = text.charCodeAt(at);
    if (code === CLOSE_BRACKET) return at + 1;
    if (code <= BLANK || code >= 0x7f) break;
  }
  return 'address-literal';
}

function hostFault(host: string): AddressFault | undefined {
  if (host.startsWith('[')) return isAddressLiteral(host) ? undefined : 'address-literal';
  return domainFault(host);
}

function domainEndFault(text: Characters, at: number): AddressFault {
  if (at >= text.length) return 'no-closing-bracket';
  if (text.charCodeAt(at) !== BLANK) return 'domain-character';
  return text.slice(at).includes('>') ? 'domain-blank' : 'no-closing-bracket';
}

const isNobody = (): boolean => false;
const isAnybody = (): boolean => true;
const isPostmaster = (localPart: string): boolean => /^postmaster$/i.test(localPart);

const NO_SENDER: ReadPath<null> = { path: null, end: 2 };
/** RFC 5321 §4.5.3.1.3. A local part has no bound of its own: 64 octets is what every server must take, and no limit (§4.5.3.1.1). */
const MAX_PATH_OCTETS = 256;

const BLANK = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const LESS = 0x3c;
const GREATER = 0x3e;
const AT = 0x40;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
