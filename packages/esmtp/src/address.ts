import { isAscii } from './ascii.ts';

/** A mailbox (RFC 5321 §4.1.2, RFC 6531 §3.3). */
export class Mailbox {
  /** Without quotes and backslashes: `"joe"@x` and `joe@x` are the same mailbox. Its case is kept. */
  readonly localPart: string;
  /** A domain, or an address literal with its brackets; empty only for the bare `Postmaster`. Its case is kept. */
  readonly domain: string;

  constructor(localPart: string, domain: string) {
    this.localPart = localPart;
    this.domain = domain;
  }

  /** True if it can be said without SMTPUTF8. */
  get isAscii(): boolean {
    return isAscii(this.localPart) && isAscii(this.domain);
  }

  /** As it is written in a command, quoted where the local part needs it. */
  toString(): string {
    const local = DOT_STRING.test(this.localPart) ? this.localPart : `"${this.localPart.replace(/["\\]/g, '\\$&')}"`;
    return this.domain === '' ? local : `${local}@${this.domain}`;
  }
}

/** Where a message comes from; null is `<>`, the path of a notification that must not be answered. */
export type ReversePath = Mailbox | null;

/** Where a message goes. */
export type ForwardPath = Mailbox;

/** A path as it was read: what it is, and what came behind it. */
export interface ReadPath<P> {
  readonly path: P;
  readonly rest: string;
}

/** Reads a reverse-path with its angle brackets off the beginning of the text; undefined if there is none. */
export function readReversePath(text: string): ReadPath<ReversePath> | undefined {
  return text.startsWith('<>') ? { path: null, rest: text.slice(2) } : readPath(text);
}

/**
 * Reads a forward-path with its angle brackets off the beginning of the text; undefined if there is none. The bare `<Postmaster>`
 * is one (RFC 5321 §4.1.1.3).
 */
export function readForwardPath(text: string): ReadPath<ForwardPath> | undefined {
  const name = text.charAt(POSTMASTER.length - 1) === '>' ? text.slice(1, POSTMASTER.length - 1) : '';
  if (`<${name.toLowerCase()}>` !== POSTMASTER || !text.startsWith('<')) return readPath(text);
  return { path: new Mailbox(name, ''), rest: text.slice(POSTMASTER.length) };
}

/** The mailbox that the whole text is, without angle brackets; undefined if it is none. */
export function parseMailbox(text: string): Mailbox | undefined {
  const read = text.startsWith('@') ? undefined : readPath(`<${text}>`);
  return read?.rest === '' ? read.path : undefined;
}

/** True for a domain as RFC 5321 §4.1.2 writes it, in U-labels too (RFC 6531 §3.3). */
export function isDomain(text: string): boolean {
  return DOMAIN.test(text) && fitsDomain(text);
}

/** True for an address literal with its brackets: `[192.0.2.1]`, `[IPv6:2001:db8::1]` (RFC 5321 §4.1.3). */
export function isAddressLiteral(text: string): boolean {
  if (!text.startsWith('[') || !text.endsWith(']')) return false;
  const inner = text.slice(1, -1);
  return /^IPv6:/i.test(inner) ? isIPv6(inner.slice(5)) : IPV4.test(inner);
}

/**
 * True if the domain is the same wherever it is read: it has more than one label, or is an address literal, or `localhost` (RFC 6761
 * §6.3), or not there, as that of the bare `Postmaster`.
 */
export function isQualified({ domain }: Mailbox): boolean {
  return domain === '' || domain.startsWith('[') || domain.includes('.') || /^localhost$/i.test(domain);
}

/** Source routes are read and left out (RFC 5321 §4.1.1.3). */
function readPath(text: string): ReadPath<Mailbox> | undefined {
  const match = PATH.exec(text);
  if (match === null || exceeds(match[0], LONGEST_PATH)) return undefined;
  const [whole, dotString, quoted, domain, literal] = match;
  const localPart = dotString ?? quoted?.replace(/\\(.)/gs, '$1') ?? '';
  if (exceeds(localPart, LONGEST_LOCAL_PART)) return undefined;
  if (literal === undefined ? !fitsDomain(domain ?? '') : !isAddressLiteral(literal)) return undefined;
  return { path: new Mailbox(localPart, literal ?? domain ?? ''), rest: text.slice(whole.length) };
}

/** The lengths of a domain and its labels, with U-labels counted as they are written (RFC 5321 §4.5.3.1.2, RFC 1035 §2.3.4). */
function fitsDomain(domain: string): boolean {
  return domain.length <= LONGEST_LABEL || !(exceeds(domain, LONGEST_DOMAIN) || LONG_LABEL.test(domain));
}

function isIPv6(text: string): boolean {
  const tail = /:((?:\d{1,3}\.){3}\d{1,3})$/.exec(text)?.[1];
  if (tail !== undefined && !IPV4.test(tail)) return false;
  const groups = tail === undefined ? text : `${text.slice(0, -tail.length)}0:0`;
  const halves = groups.split('::');
  const count = halves.flatMap((half) => (half === '' ? [] : half.split(':')));
  if (halves.length > 2 || !count.every((group) => /^[\da-f]{1,4}$/i.test(group))) return false;
  return halves.length === 2 ? count.length <= 7 : count.length === 8;
}

/** True if the text has more octets in UTF-8 than that; a character has three at most. */
function exceeds(text: string, octets: number): boolean {
  return text.length * 3 > octets && Buffer.byteLength(text) > octets;
}

const POSTMASTER = '<postmaster>';
/** RFC 5321 §4.5.3.1.1 to §4.5.3.1.3. */
const LONGEST_LOCAL_PART = 64;
const LONGEST_DOMAIN = 255;
const LONGEST_LABEL = 63;
const LONG_LABEL = /[^.]{64}/;
const LONGEST_PATH = 256;

// No piece of these can match one text in two ways, so that they are linear on whatever comes.
const ATOM = "[A-Za-z0-9!#$%&'*+\\-/=?^_`{|}~\\u0080-\\uffff]+";
const LABEL = '[A-Za-z0-9\\u0080-\\uffff]+(?:-+[A-Za-z0-9\\u0080-\\uffff]+)*';
const DOMAIN_PATTERN = `${LABEL}(?:\\.${LABEL})*`;
const DOT_STRING_PATTERN = `${ATOM}(?:\\.${ATOM})*`;
const QUOTED_PATTERN = '"((?:[ !#-\\[\\]-~\\u0080-\\uffff]|\\\\[ -~])*)"';
const ROUTE_PATTERN = `(?:@${DOMAIN_PATTERN}(?:,@${DOMAIN_PATTERN})*:)?`;
const LITERAL_PATTERN = '\\[[!-Z^-~]+\\]';

const PATH = new RegExp(
  `^<${ROUTE_PATTERN}(?:(${DOT_STRING_PATTERN})|${QUOTED_PATTERN})@(?:(${DOMAIN_PATTERN})|(${LITERAL_PATTERN}))>`,
);
const DOMAIN = new RegExp(`^${DOMAIN_PATTERN}$`);
const DOT_STRING = new RegExp(`^${DOT_STRING_PATTERN}$`);
const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!$)|$)){4}$/;
