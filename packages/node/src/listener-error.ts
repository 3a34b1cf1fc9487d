import type { Address, Warnings } from '@postern/conversation';
import type { LimitExceeded } from './client-limits.ts';

/** What went wrong at a listener, for its log. Nothing of it is in need of an answer. */
export type ListenerError =
  /** The client did not come to TLS with us: it spoke something else, was silent, or left. A `TlsHandshakeError` says why in plain words. */
  | { readonly kind: 'handshake'; readonly remote: Address; readonly error: unknown }
  /** A trusted proxy did not say whom it connects, or not rightly. */
  | { readonly kind: 'proxy'; readonly remote: Address; readonly error: unknown }
  /**
   * The client was turned away: there are too many connections, or they hold too much memory. `omitted` counts what was not told
   * since the last time.
   */
  | {
      readonly kind: 'refused';
      readonly remote: Address;
      readonly excess: LimitExceeded | 'memory';
      readonly omitted?: number;
    }
  /** The client had not logged in, and made room for another one. `omitted` counts what was not told since the last time. */
  | { readonly kind: 'displaced'; readonly remote: Address; readonly omitted?: number }
  /** The client left, or was silent for too long, and the protocol had nothing to say to it. */
  | { readonly kind: 'conversation'; readonly remote: Address; readonly error: unknown }
  /** The protocol failed, which it never should: a bug. The connection was destroyed. */
  | { readonly kind: 'protocol'; readonly remote: Address; readonly error: unknown }
  /** The system could not accept a connection; out of file descriptors, as a rule. */
  | { readonly kind: 'accept'; readonly error: unknown }
  /** The grace of a close was over, and so many connections, or what was still to be done for them, were not. They are cut off. */
  | { readonly kind: 'cut-off'; readonly connections: number };

/**
 * Calls the hook. Without a hook, trouble whose culprit is this server or its operator becomes a warning of the process, and so does
 * an error of the hook itself. Never throws.
 */
export function reportError(
  trouble: ListenerError,
  onError: ((trouble: ListenerError) => void) | undefined,
  warnings: Warnings,
): void {
  try {
    if (onError !== undefined) onError(trouble);
    else warn(trouble, warnings);
  } catch (error) {
    warnings.warn('onError failed', error);
  }
}

/** What a client does wrong is no warning: it would be the client that fills the log. */
function warn(trouble: ListenerError, warnings: Warnings): void {
  switch (trouble.kind) {
    case 'protocol':
      warnings.warn('a protocol failed', trouble.error);
      break;
    case 'accept':
      warnings.warn('cannot accept connections', trouble.error);
      break;
    case 'proxy':
      warnings.warn('a trusted proxy does not say whom it connects', trouble.error);
      break;
    case 'cut-off':
      warnings.warn('the grace is over', new Error(`${trouble.connections} connections are cut off`));
      break;
    case 'refused':
      if (trouble.excess === 'memory')
        warnings.warn('clients are turned away', new Error('the memory budget is used up'));
      if (trouble.excess === 'connections') warnings.warn('clients are turned away', new Error('too many connections'));
      break;
    case 'displaced':
      warnings.warn('clients that have not logged in make room for others', new Error('too many connections'));
      break;
    case 'handshake':
    case 'conversation':
      break;
  }
}
