import type { Address } from '@postern/conversation';
import type { LimitExceeded } from './client-limits.ts';

/** An error at a listener, for its log. The listener has dealt with the connection already. */
export type ListenerError =
  /**
   * The TLS handshake failed: the client is at fault, or disconnected. A `TlsHandshakeError` says
   * why in plain words.
   */
  | { readonly kind: 'handshake'; readonly remote: Address; readonly error: unknown }
  /** A trusted proxy sent no PROXY header, or a wrong one. `remote` is the proxy. */
  | { readonly kind: 'proxy'; readonly remote: Address; readonly error: unknown }
  /**
   * The client was above a limit and was disconnected. `omitted` counts the reports that were left
   * out before.
   */
  | { readonly kind: 'refused'; readonly remote: Address; readonly limit: LimitExceeded; readonly omitted?: number }
  /**
   * The client had not logged in, and its slot was needed. `omitted` counts the reports that were
   * left out before.
   */
  | { readonly kind: 'displaced'; readonly remote: Address; readonly omitted?: number }
  /** The client disconnected or was silent for too long, and the protocol did not handle that. */
  | { readonly kind: 'conversation'; readonly remote: Address; readonly error: unknown }
  /** The protocol failed, which is a bug in it. The connection was destroyed. */
  | { readonly kind: 'protocol'; readonly remote: Address; readonly error: unknown }
  /** The system could not accept a connection: usually the process has too many open files. */
  | { readonly kind: 'accept'; readonly error: unknown }
  /** The `shutdownTimeout` of a close is over, and this number of conversations was broken off. */
  | { readonly kind: 'cut-off'; readonly connections: number };
