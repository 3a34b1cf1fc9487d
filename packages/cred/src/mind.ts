import type { Address } from '@postern/core';
import type { Ask } from './credentials.ts';

/** The channel binding types of RFC 5929 and RFC 9266. */
export type ChannelBindingType = 'tls-exporter' | 'tls-server-end-point' | 'tls-unique';

/** What is known of a connection's TLS. */
export interface TlsInfo {
  /** `TLSv1.3`, as OpenSSL writes it. */
  readonly version: string;
  /** The cipher suite's name in the IANA registry: `TLS_AES_256_GCM_SHA384`. */
  readonly cipher: string;
  /** The name that the client asked for (SNI, RFC 6066 §3). */
  readonly serverName: string | undefined;
  /** The client's certificate, if it sent one. Worth nothing unless `verified`. */
  readonly peerCertificate: PeerCertificate | undefined;
  /** The channel binding data of the type, or undefined where this connection has none. */
  channelBinding(type: ChannelBindingType): Uint8Array | undefined;
}

/** A client's certificate, as far as a checker needs it. */
export interface PeerCertificate {
  /** True if it chains to an authority that the operator trusts for clients. */
  readonly verified: boolean;
  /** The subject, one attribute a line as OpenSSL prints it: `O=Example\nCN=joe`. */
  readonly subject: string;
  /** The subject's alternative names as OpenSSL prints them (`email:joe@example.com, DNS:…`), or undefined. */
  readonly subjectAltName: string | undefined;
  /** The SHA-256 fingerprint: 64 hexadecimal digits, lower case. */
  readonly fingerprint256: string;
}

/** A SASL exchange that came to credentials and is still open, for checkers that decide by more than those. */
export interface Exchange {
  /** The mechanism's name. */
  readonly mechanism: string;
  /** Asks the client for more than the mechanism does. Only while the credentials are judged. */
  readonly ask: Ask;
}

/**
 * What a protocol knows of the client at the other end; checkers and realms are handed it with every login. Not for spreading, since
 * it may compute what it knows: whoever adds to it extends DelegatingMind.
 */
export interface Mind {
  /** The protocol's name, in lower case: `smtp`, `lmtp`, `pop3`. */
  readonly protocol: string;
  readonly remote: Address;
  readonly local: Address;
  /** Undefined on a connection without TLS. */
  readonly tls: TlsInfo | undefined;
  /** The name that the client gave itself (EHLO), not verified. */
  readonly clientName: string | undefined;
  /** The exchange whose credentials are being judged; undefined before and after, and where there is none. */
  readonly exchange?: Exchange | undefined;
  /** Aborts when the connection is gone, or when the login has taken too long. */
  readonly signal: AbortSignal;
  /** True once the connection is gone. What the signal says, for who need not hear of it: a signal costs more than most logins. */
  readonly disconnected?: boolean | undefined;
  /** For checkers and realms that remember something as long as the connection lasts. */
  readonly store: Map<symbol, unknown>;
}

/** True if the peer is this machine itself: nobody else can listen in. */
export function isLocal(address: Address): boolean {
  if (address.family === 'unix') return true;
  return address.address === '::1' || /^(::ffff:)?127\./.test(address.address);
}
