import type { Verb } from '../protocol/command.ts';
import type { State } from './state.ts';

/**
 * Reports an error of a mailbox. An error of the system, such as EMFILE or EACCES, is one of the
 * operator. Any other error is one of this server.
 */
export function reportMailboxError(state: State, during: Verb, error: unknown): void {
  state.reportError(isSystemError(error) ? 'operator' : 'us', during, error);
}

/** Returns true for an error of a system call, and for an error that one has caused. */
function isSystemError(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return 'syscall' in error || (error.cause instanceof Error && 'syscall' in error.cause);
}
