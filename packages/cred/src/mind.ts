import type { Address, TlsInfo } from '@postern/core';
import type { Ask } from './credentials.ts';

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
