import { isIPv4, isIPv6, SocketAddress } from 'node:net';
import type { Address } from '@postern/conversation';
import { tcpAddress, unixAddress } from './address.ts';
import {
  InvalidProxyHeader,
  type ProxiedTls,
  type ProxyAddition,
  parseAdditions,
  proxiedTls,
} from './proxy-additions.ts';

/**
 * A header of the PROXY protocol of HAProxy (`proxy-protocol.txt`, versions 1 and 2): the
 * connection that a proxy forwards.
 */
export interface ProxyHeader {
  readonly version: 1 | 2;
  /**
   * The client's address, and the address to which the client connected. Undefined for LOCAL,
   * UNKNOWN and UNSPEC.
   */
  readonly connection: { readonly source: Address; readonly destination: Address } | undefined;
  /** The TLS between the client and the proxy; undefined if the proxy reports none. */
  readonly tls: ProxiedTls | undefined;
  /** The additions (TLVs) of version 2, in their order. */
  readonly additions: readonly ProxyAddition[];
}

/**
 * Parses the header at the beginning of the bytes. Returns undefined while the header is
 * incomplete. The client's octets begin after `length` octets.
 *
 * @throws InvalidProxyHeader as soon as the octets cannot begin a header.
 */
export function parseProxyHeader(bytes: Buffer): { readonly header: ProxyHeader; readonly length: number } | undefined {
  if (startsAs(bytes, SIGNATURE)) return bytes.length < 16 ? undefined : parseBinary(bytes);
  if (startsAs(bytes, WORD)) return parseText(bytes);
  throw new InvalidProxyHeader('no PROXY header');
}

/** Version 1: `PROXY TCP4 192.0.2.1 198.51.100.1 56324 25` and CRLF. */
function parseText(bytes: Buffer): { header: ProxyHeader; length: number } | undefined {
  const end = bytes.subarray(0, MAX_TEXT_OCTETS).indexOf('\r\n');
  if (end < 0) {
    if (bytes.length >= MAX_TEXT_OCTETS) throw new InvalidProxyHeader(`no line end in ${MAX_TEXT_OCTETS} octets`);
    return undefined;
  }
  const line = bytes.toString('latin1', 0, end);
  return { header: { version: 1, connection: connectionOf(line), ...NO_ADDITIONS }, length: end + 2 };
}

function connectionOf(line: string): ProxyHeader['connection'] {
  // A receiver ignores everything after UNKNOWN (§2.1).
  if (/^PROXY UNKNOWN( .*)?$/.test(line)) return undefined;
  const [, family, source = '', destination = '', sourcePort, destinationPort] = TEXT.exec(line) ?? [];
  const isAddress = family === 'TCP4' ? isIPv4 : isIPv6;
  if (family === undefined || ![source, destination].every(isAddress)) {
    throw new InvalidProxyHeader('a malformed PROXY line');
  }
  return { source: canonical(source, port(sourcePort)), destination: canonical(destination, port(destinationPort)) };
}

function port(digits: string | undefined): number {
  const number = Number(digits);
  if (number > 65_535) throw new InvalidProxyHeader(`${digits} is not a port`);
  return number;
}

/**
 * Version 2: 12 octets of signature; version and command, family and transport, length; addresses;
 * additions (§2.2).
 */
function parseBinary(bytes: Buffer): { header: ProxyHeader; length: number } | undefined {
  const versionAndCommand = bytes.readUInt8(12);
  const family = bytes.readUInt8(13);
  const length = 16 + bytes.readUInt16BE(14);
  if (versionAndCommand !== LOCAL && versionAndCommand !== PROXY) {
    throw new InvalidProxyHeader('an unknown version or command');
  }
  if (length > MAX_BINARY_OCTETS)
    throw new InvalidProxyHeader(`${length} octets; expected at most ${MAX_BINARY_OCTETS}`);
  const addressLength = ADDRESS_LENGTHS.get(family);
  if (addressLength === undefined) throw new InvalidProxyHeader('an unknown family or transport');
  if (versionAndCommand === PROXY && 16 + addressLength > length)
    throw new InvalidProxyHeader('too short for its addresses');
  if (bytes.length < length) return undefined;
  if (versionAndCommand === LOCAL || family === UNSPECIFIED) {
    return { header: { version: 2, connection: undefined, ...NO_ADDITIONS }, length };
  }
  // The header outlives the buffer, which belongs to the connection.
  const copy = Buffer.from(bytes.subarray(0, length));
  const additions = parseAdditions(copy, 16 + addressLength);
  const connection = addresses(copy.subarray(16), family);
  return { header: { version: 2, connection, tls: proxiedTls(additions), additions }, length };
}

function addresses(bytes: Buffer, family: number): ProxyHeader['connection'] {
  switch (family >> 4) {
    case 1:
      return {
        source: tcpAddress(bytes.subarray(0, 4).join('.'), bytes.readUInt16BE(8)),
        destination: tcpAddress(bytes.subarray(4, 8).join('.'), bytes.readUInt16BE(10)),
      };
    case 2:
      return {
        source: canonical(ipv6(bytes), bytes.readUInt16BE(32)),
        destination: canonical(ipv6(bytes.subarray(16)), bytes.readUInt16BE(34)),
      };
    default:
      return { source: unixAddress(path(bytes)), destination: unixAddress(path(bytes.subarray(108))) };
  }
}

function ipv6(bytes: Buffer): string {
  return (bytes.toString('hex', 0, 16).match(/.{4}/g) ?? []).join(':');
}

/** Reads a path up to the first NUL. A name of Linux's abstract namespace begins with a NUL. */
function path(bytes: Buffer): string {
  const text = bytes.toString('latin1', 0, 108);
  const end = text.indexOf('\0', 1);
  return text === '\0'.repeat(108) ? '' : end < 0 ? text : text.slice(0, end);
}

/** Returns one notation for all notations of an address: limits and throttles count by it. */
function canonical(text: string, port: number): Address {
  if (isIPv4(text)) return tcpAddress(text, port);
  return tcpAddress(new SocketAddress({ address: text, family: 'ipv6' }).address, port);
}

/** Returns true if the bytes begin with the word, or with a beginning of the word. */
function startsAs(bytes: Buffer, word: Buffer): boolean {
  const length = Math.min(bytes.length, word.length);
  return bytes.compare(word, 0, length, 0, length) === 0;
}

const WORD = Buffer.from('PROXY ');
const SIGNATURE = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');

const NO_ADDITIONS = { tls: undefined, additions: [] } as const;

const TEXT = /^PROXY (TCP4|TCP6) ([\da-fA-F:.]+) ([\da-fA-F:.]+) (0|[1-9]\d{0,4}) (0|[1-9]\d{0,4})$/;
/** The octets of the longest line, with CRLF (§2.1). */
const MAX_TEXT_OCTETS = 107;

const LOCAL = 0x20;
const PROXY = 0x21;
const UNSPECIFIED = 0x00;
/** The octets of the addresses, by family and transport (IPv4, IPv6, UNIX; stream, datagram). */
const ADDRESS_LENGTHS: ReadonlyMap<number, number> = new Map([
  [UNSPECIFIED, 0],
  [0x11, 12],
  [0x12, 12],
  [0x21, 36],
  [0x22, 36],
  [0x31, 216],
  [0x32, 216],
]);
/** More octets than any proxy sends, a client's certificate included. */
const MAX_BINARY_OCTETS = 16 * 1024;
