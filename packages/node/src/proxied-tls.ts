import { InvalidProxyHeader, type ProxyAddition, splitAdditions } from './proxy-additions.ts';

/** What a proxy says of the TLS between the client and itself. */
export interface ProxiedTls {
  /** `TLSv1.3` */
  readonly version: string | undefined;
  /** As OpenSSL names it. */
  readonly cipher: string | undefined;
  /** True if the client has shown a certificate, on this connection or before in its session, and the proxy has verified it. */
  readonly verified: boolean;
  /** The common name of the client's certificate. Worth nothing unless `verified`. */
  readonly commonName: string | undefined;
}

/** The additions' word on TLS (`PP2_TYPE_SSL`); undefined if the client has come to the proxy without, or there is no word. */
export function proxiedTls(additions: readonly ProxyAddition[]): ProxiedTls | undefined {
  const value = additions.find(({ type }) => type === SSL)?.value;
  if (value === undefined) return undefined;
  if (value.length < 5) throw new InvalidProxyHeader('too short for what is known of TLS');
  const client = value.readUInt8(0);
  if ((client & CLIENT_SSL) === 0) return undefined;
  const facts = new Map(splitAdditions(value, 5).map(({ type, value }) => [type, value.toString()]));
  return {
    version: facts.get(VERSION),
    cipher: facts.get(CIPHER),
    verified: (client & CLIENT_CERTIFICATE) !== 0 && value.readUInt32BE(1) === 0,
    commonName: facts.get(COMMON_NAME),
  };
}

const SSL = 0x20;
const VERSION = 0x21;
const COMMON_NAME = 0x22;
const CIPHER = 0x23;

/** The client came by TLS. */
const CLIENT_SSL = 0x01;
/** It showed a certificate, on this connection or earlier in the same session. */
const CLIENT_CERTIFICATE = 0x02 | 0x04;
