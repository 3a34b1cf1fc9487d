import type { TlsInfo } from '@postern/conversation';

/** A type-length-value vector (TLV) of the PROXY protocol, version 2 (§2.2). */
export interface ProxyAddition {
  readonly type: number;
  readonly value: Buffer;
}

/** The TLS between the client and the proxy, as the proxy reports it (`PP2_TYPE_SSL`, §2.2.6). */
export interface ProxiedTls {
  /** The version as OpenSSL writes it: `TLSv1.3`. */
  readonly version: string | undefined;
  /** The cipher suite as OpenSSL writes it: `ECDHE-RSA-AES128-GCM-SHA256`. */
  readonly cipher: string | undefined;
  /** True if the client showed a certificate in this session and the proxy verified it. */
  readonly verified: boolean;
  /** The common name in the client's certificate. It proves nothing unless `verified`. */
  readonly commonName: string | undefined;
}

/** The bytes are not a valid PROXY header. */
export class InvalidProxyHeader extends Error {
  override get name(): string {
    return 'InvalidProxyHeader';
  }
}

/**
 * Reads the additions of a version 2 header, without those that only pad it.
 * @throws InvalidProxyHeader if an addition is malformed, or the checksum is wrong.
 */
export function parseAdditions(header: Buffer, start: number): ProxyAddition[] {
  const additions = splitAdditions(header, start);
  for (const { type, value } of additions) {
    if (type === UNIQUE_ID && value.length > 128) throw new InvalidProxyHeader('a unique id of more than 128 octets');
    if (type === CRC32C) verifyChecksum(header, value);
  }
  return additions.filter(({ type }) => type !== NOOP);
}

/**
 * Returns the client's TLS as the proxy reports it. Returns undefined if the proxy reports none, or
 * reports that its own side has none: a proxy that only forwards TLS says the same.
 * @throws InvalidProxyHeader if the addition is malformed.
 */
export function proxiedTls(additions: readonly ProxyAddition[]): ProxiedTls | undefined {
  const value = findValue(additions, SSL);
  if (value === undefined) return undefined;
  if (value.length < 5) throw new InvalidProxyHeader('TLS information of less than 5 octets');
  const flags = value.readUInt8(0);
  if ((flags & CLIENT_SSL) === 0) return undefined;
  const parts = splitAdditions(value, 5);
  return {
    version: findValue(parts, VERSION)?.toString(),
    cipher: findValue(parts, CIPHER)?.toString(),
    verified: (flags & CLIENT_CERTIFICATE) !== 0 && value.readUInt32BE(1) === 0,
    commonName: findValue(parts, COMMON_NAME)?.toString(),
  };
}

/**
 * Returns a trusted proxy's report as the TLS of the connection: protocols treat the client as one
 * with TLS, and offer PLAIN. The operator who names a proxy vouches for its reports and for the
 * path from the proxy to this server. The result has
 *   - no channel binding: the channel of the client ends at the proxy (RFC 5056 §2.1), and
 *     SCRAM-PLUS over this server's own channel would bind to the wrong one;
 *   - no peer certificate: the proxy reports a common name only, which identifies no client
 *     (EXTERNAL), and a certificate on this server's own channel is the proxy's.
 */
export function proxiedTlsInfo(tls: ProxiedTls, additions: readonly ProxyAddition[]): TlsInfo {
  const serverName = findValue(additions, AUTHORITY)?.toString('latin1');
  return {
    version: token(tls.version),
    cipher: token(tls.cipher),
    // The proxy copies the name from the client, and the name may stand in a log.
    serverName: serverName !== undefined && HOST_NAME.test(serverName) ? serverName : undefined,
    peerCertificate: undefined,
    channelBinding: () => undefined,
  };
}

/** The text, which stands in `Received:` fields and logs, or `unknown`. */
function token(text = ''): string {
  return TOKEN.test(text) ? text : 'unknown';
}

function findValue(additions: readonly ProxyAddition[], wanted: number): Buffer | undefined {
  return additions.find(({ type }) => type === wanted)?.value;
}

/** Splits the bytes into vectors: an octet for the type, two octets for the length, the value. */
function splitAdditions(bytes: Buffer, start: number): ProxyAddition[] {
  const additions: ProxyAddition[] = [];
  let offset = start;
  while (offset < bytes.length) {
    if (offset + 3 > bytes.length) throw new InvalidProxyHeader('an addition without its length');
    const end = offset + 3 + bytes.readUInt16BE(offset + 1);
    if (end > bytes.length) throw new InvalidProxyHeader('an addition that is longer than the header');
    additions.push({ type: bytes.readUInt8(offset), value: bytes.subarray(offset + 3, end) });
    offset = end;
  }
  return additions;
}

/** Verifies the checksum, which covers the header with zeros in place of the checksum (§2.2.4). */
function verifyChecksum(header: Buffer, value: Buffer): void {
  if (value.length !== 4) throw new InvalidProxyHeader('a checksum that has not 4 octets');
  const start = value.byteOffset - header.byteOffset;
  const zeroed = Buffer.from(header).fill(0, start, start + 4);
  if (crc32c(zeroed) !== value.readUInt32BE()) throw new InvalidProxyHeader('a wrong checksum');
}

/** Returns the CRC-32C checksum (Castagnoli, RFC 9260 Appendix A) as an unsigned number. */
function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    // Bit by bit: headers are short, and a table would be longer than this loop.
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? REVERSED_POLYNOMIAL : 0);
  }
  return ~crc >>> 0;
}

const REVERSED_POLYNOMIAL = 0x82f63b78;

/** `PP2_TYPE_…` */
const AUTHORITY = 0x02;
const CRC32C = 0x03;
const NOOP = 0x04;
const UNIQUE_ID = 0x05;
const SSL = 0x20;
/** `PP2_SUBTYPE_SSL_…` */
const VERSION = 0x21;
const COMMON_NAME = 0x22;
const CIPHER = 0x23;

/** `PP2_CLIENT_SSL`: the client connected over TLS. */
const CLIENT_SSL = 0x01;
/**
 * `PP2_CLIENT_CERT_CONN` and `PP2_CLIENT_CERT_SESS`: the client showed a certificate, now or
 * earlier in the session.
 */
const CLIENT_CERTIFICATE = 0x02 | 0x04;

const TOKEN = /^[\w.:+-]{1,64}$/;
const HOST_NAME = /^[\w.-]{1,255}$/;
