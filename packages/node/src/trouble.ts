import type { Address } from '@postern/conversation';
import type { Excess } from './client-limits.ts';

/** What went wrong at a listener, for its log. Nothing of it is in need of an answer. */
export type Trouble =
  /** The client did not come to TLS with us: it spoke something else, was silent, or left. */
  | { readonly kind: 'handshake'; readonly remote: Address; readonly error: unknown }
  /** A trusted proxy did not say whom it connects, or not rightly. */
  | { readonly kind: 'proxy'; readonly remote: Address; readonly error: unknown }
  /** The client was turned away: there are too many connections. */
  | { readonly kind: 'refused'; readonly remote: Address; readonly excess: Excess }
  /** The client left, or was silent for too long, and the protocol had nothing to say to it. */
  | { readonly kind: 'conversation'; readonly remote: Address; readonly error: unknown }
  /** The protocol failed, which it never should: a bug. The connection was destroyed. */
  | { readonly kind: 'protocol'; readonly remote: Address; readonly error: unknown }
  /** The system could not accept a connection; out of file descriptors, as a rule. */
  | { readonly kind: 'accept'; readonly error: unknown }
  /** The grace of a close was over, and so many connections, or what was still to be done for them, were not. They are cut off. */
  | { readonly kind: 'cut-off'; readonly connections: number };

/** Tells the hook; a bug of the protocol without a hook is a warning of the process, so that it is not lost. */
export function tellTrouble(trouble: Trouble, onTrouble: ((trouble: Trouble) => void) | undefined): void {
  try {
    if (onTrouble !== undefined) onTrouble(trouble);
    else if (trouble.kind === 'protocol') warn(trouble.error);
  } catch (error) {
    warn(error);
  }
}

function warn(error: unknown): void {
  process.emitWarning(error instanceof Error ? error : new Error('a protocol failed', { cause: error }));
}
