import { type Address, isLocal, type TlsInfo } from '@postern/core';
import type { Mind } from '@postern/cred';

/** What a trusted peer says of the client that it hands on (XCLIENT). What it said is not known is there, and undefined. */
export interface ForwardedInfo {
  /** The client's host name, as the peer has looked it up. */
  readonly name?: string | undefined;
  readonly address?: HostAddress | undefined;
  readonly port?: number | undefined;
  /** Which of the two the client greeted with: HELO is SMTP. */
  readonly protocol?: 'SMTP' | 'ESMTP' | undefined;
  /** The name that the client gave itself. */
  readonly helo?: string | undefined;
  /** Who the client is, as the peer has found out. */
  readonly login?: string | undefined;
  /** Where the client connected to. */
  readonly destinationAddress?: HostAddress | undefined;
  readonly destinationPort?: number | undefined;
}

/** An address without a port. */
export type HostAddress = Pick<Address, 'family' | 'address'>;

/** What is known of a client that a trusted peer hands on; undefined for one that has come by itself. For checkers, realms and avatars. */
export function forwardedInfo(mind: Mind): ForwardedInfo | undefined {
  return mind.store.get(FORWARDED) as ForwardedInfo | undefined;
}

/** An end of the connection as the facts have it, and otherwise as it is. An address that is not known is the unspecified one (RFC 1122 §3.2.1.3). */
export function forwardedEnd(actual: Address, facts: ForwardedInfo, end: 'client' | 'destination'): Address {
  const [address, port] =
    end === 'client' ? (['address', 'port'] as const) : (['destinationAddress', 'destinationPort'] as const);
  if (!(address in facts)) return port in facts ? { ...actual, port: facts[port] ?? 0 } : actual;
  const said = { ...(facts[address] ?? UNSPECIFIED), port: facts[port] ?? 0 };
  // This machine, as another one sees it, is not this one: nothing that is safe among ourselves is safe with it.
  return end === 'client' && isLocal(said) && !isLocal(actual) ? { ...UNSPECIFIED, port: said.port } : said;
}

/**
 * TLS with the peer that hands the client on. Its certificate is not the client's, who could log in by it as the peer (EXTERNAL), and
 * its channel is none that the client could bind to (SCRAM-PLUS).
 */
export function forwardedTls({ version, cipher, serverName }: TlsInfo): TlsInfo {
  return { version, cipher, serverName, peerCertificate: undefined, channelBinding: () => undefined };
}

/** Where in a mind's store the facts are. */
export const FORWARDED = Symbol('forwarded');

const UNSPECIFIED: HostAddress = { family: 'IPv4', address: '0.0.0.0' };
