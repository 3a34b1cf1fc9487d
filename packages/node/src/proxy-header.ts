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

/** What a proxy says of the connection that it hands on (the PROXY protocol of HAProxy, versions 1 and 2). */
export interface ProxyHeader {
  readonly version: 1 | 2;
  /** Who connected to the proxy, and where; undefined if the proxy speaks for itself (LOCAL) or does not know. */
  readonly connection: { readonly source: Address; readonly destination: Address } | undefined;
  /** What is known of TLS between the client and the proxy; undefined if there is none, or the proxy does not tell. */
  readonly tls: ProxiedTls | undefined;
  /** All that version 2 adds to the addresses, in its order. */
  readonly additions: readonly ProxyAddition[];
}

/**
 * Reads the header at the beginning of the bytes; undefined means that more of it must come. The length is that of the header, behind
 * which the connection's own bytes begin. Throws InvalidProxyHeader as soon as it can be none.
 */
export function parseProxyHeader(bytes: Buffer): { readonly header: ProxyHeader; readonly length: number } | undefined {
  if (startsAs(bytes, SIGNATURE)) return bytes.length < 16 ? undefined : parseBinary(bytes);
  if (startsAs(bytes, WORD)) return parseText(bytes);
  throw new InvalidProxyHeader('no PROXY header');
}

/** Version 1: `PROXY TCP4 192.0.2.1 198.51.100.1 56324 25` and CRLF. */
function parseText(bytes: Buffer): { header: ProxyHeader; length: number } | undefined {
  const end = bytes.subarray(0, MAXIMUM_TEXT).indexOf('\r\n');
  if (end < 0) {
    if (bytes.length >= MAXIMUM_TEXT) throw new InvalidProxyHeader(`no line end in ${MAXIMUM_TEXT} octets`);
    return undefined;
  }
  const line = bytes.toString('latin1', 0, end);
  return { header: { version: 1, connection: connectionOf(line), ...NOTHING_ADDED }, length: end + 2 };
}

function connectionOf(line: string): ProxyHeader['connection'] {
  // What follows UNKNOWN is to be ignored.
  if (/^PROXY UNKNOWN( .*)?$/.test(line)) return undefined;
  const [, family, source = '', destination = '', sourcePort, destinationPort] = TEXT.exec(line) ?? [];
  const isAddress = family === 'TCP4' ? isIPv4 : isIPv6;
  if (family === undefined || ![source, destination].every(isAddress)) {
    throw new InvalidProxyHeader('not as a PROXY line is written');
  }
  return { source: canonical(source, port(sourcePort)), destination: canonical(destination, port(destinationPort)) };
}

function port(digits: string | undefined): number {
  const number = Number(digits);
  if (number > 65_535) throw new InvalidProxyHeader(`${digits} is no port`);
  return number;
}

/** Version 2: twelve octets of signature, version and command, family and transport, length; addresses; additions. */
function parseBinary(bytes: Buffer): { header: ProxyHeader; length: number } | undefined {
  const versionAndCommand = bytes.readUInt8(12);
  const family = bytes.readUInt8(13);
  const length = 16 + bytes.readUInt16BE(14);
  if (versionAndCommand !== LOCAL && versionAndCommand !== PROXY) {
    throw new InvalidProxyHeader('neither a version nor a command that is known');
  }
  if (length > MAXIMUM_BINARY) throw new InvalidProxyHeader(`${length} octets are too many`);
  const addressLength = ADDRESS_LENGTHS.get(family);
  if (addressLength === undefined) throw new InvalidProxyHeader('no family and transport that is known');
  if (versionAndCommand === PROXY && 16 + addressLength > length)
    throw new InvalidProxyHeader('too short for its addresses');
  if (bytes.length < length) return undefined;
  if (versionAndCommand === LOCAL || family === UNSPECIFIED) {
    return { header: { version: 2, connection: undefined, ...NOTHING_ADDED }, length };
  }
  // A copy, since the header is kept and the buffer is the connection's.
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

/** Up to the first NUL; a name of the abstract kind begins with one. */
function path(bytes: Buffer): string {
  const text = bytes.toString('latin1', 0, 108);
  const end = text.indexOf('\0', 1);
  return text === '\0'.repeat(108) ? '' : end < 0 ? text : text.slice(0, end);
}

/** Addresses that are the same are written the same: limits and throttles count by them. */
function canonical(text: string, port: number): Address {
  if (isIPv4(text)) return tcpAddress(text, port);
  return tcpAddress(new SocketAddress({ address: text, family: 'ipv6' }).address, port);
}

/** True if the bytes begin as the word does, as far as they go. */
function startsAs(bytes: Buffer, word: Buffer): boolean {
  const length = Math.min(bytes.length, word.length);
  return bytes.compare(word, 0, length, 0, length) === 0;
}

const WORD = Buffer.from('PROXY ');
const SIGNATURE = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');

const NOTHING_ADDED = { tls: undefined, additions: [] } as const;

const TEXT = /^PROXY (TCP4|TCP6) ([\da-fA-F:.]+) ([\da-fA-F:.]+) (0|[1-9]\d{0,4}) (0|[1-9]\d{0,4})$/;
/** With the CRLF; the longest that is allowed. */
const MAXIMUM_TEXT = 107;

const LOCAL = 0x20;
const PROXY = 0x21;
const UNSPECIFIED = 0x00;
/** How long the addresses are, by family and transport (IPv4, IPv6, UNIX; stream, datagram). */
const ADDRESS_LENGTHS: ReadonlyMap<number, number> = new Map([
  [UNSPECIFIED, 0],
  [0x11, 12],
  [0x12, 12],
  [0x21, 36],
  [0x22, 36],
  [0x31, 216],
  [0x32, 216],
]);
/** More than any proxy sends, a client's certificate included: octets. */
const MAXIMUM_BINARY = 16 * 1024;
