import { type Address, isLocal, type TlsInfo } from '@postern/core';
import type { Mind } from '@postern/cred';

/**
 * The information that a trusted peer gives about the client whose connection it forwards
 * (XCLIENT). A property that is present and undefined is one that the peer does not know.
 */
export interface ForwardedInfo {
  /** The client's host name, from the peer's lookup. */
  readonly name?: string | undefined;
  /** The client's address. */
  readonly address?: HostAddress | undefined;
  /** The client's port. */
  readonly port?: number | undefined;
  /** The greeting that the client sent to the peer: SMTP for HELO, ESMTP for EHLO. */
  readonly protocol?: 'SMTP' | 'ESMTP' | undefined;
  /** The name in the client's HELO or EHLO. */
  readonly helo?: string | undefined;
  /** The user that the peer has authenticated. */
  readonly login?: string | undefined;
  /** The address to which the client connected. */
  readonly destinationAddress?: HostAddress | undefined;
  /** The port to which the client connected. */
  readonly destinationPort?: number | undefined;
}

/** An address without a port. */
export type HostAddress = Pick<Address, 'family' | 'address'>;

/**
 * Returns the information about a forwarded client, for checkers, realms and avatars; undefined for
 * a client that connected directly.
 */
export function forwardedInfo(mind: Mind): ForwardedInfo | undefined {
  return mind.store.get(FORWARDED) as ForwardedInfo | undefined;
}

/**
 * Returns one end of the connection by the peer's information, and the actual end where the peer
 * gave none. An address that the peer does not know becomes the unspecified one (RFC 1122
 * §3.2.1.3).
 */
export function forwardedEnd(actual: Address, info: ForwardedInfo, end: 'client' | 'destination'): Address {
  const [address, port] =
    end === 'client' ? (['address', 'port'] as const) : (['destinationAddress', 'destinationPort'] as const);
  if (!(address in info)) return port in info ? { ...actual, port: info[port] ?? 0 } : actual;
  const forwarded = { ...(info[address] ?? UNSPECIFIED), port: info[port] ?? 0 };
  // A remote peer's loopback address is not this host's: policies for local clients must not apply.
  return end === 'client' && isLocal(forwarded) && !isLocal(actual)
    ? { ...UNSPECIFIED, port: forwarded.port }
    : forwarded;
}

/**
 * Returns the TLS information of the connection with a trusted peer, without what belongs to the
 * peer alone. By the certificate a client could log in as the peer (EXTERNAL), and the client
 * cannot bind to the peer's channel (SCRAM-PLUS).
 */
export function forwardedTls({ version, cipher, serverName }: TlsInfo): TlsInfo {
  return { version, cipher, serverName, peerCertificate: undefined, channelBinding: () => undefined };
}

/** The key of the information in a mind's store. */
export const FORWARDED = Symbol('forwarded');

const UNSPECIFIED: HostAddress = { family: 'IPv4', address: '0.0.0.0' };
