import { type Culprit, culpritOf, type Mind } from '@postern/cred';

/** An operation `D` that has failed. */
export interface FailedOperation<D extends string> {
  readonly mind: Mind;
  readonly kind: 'error';
  readonly culprit: Culprit;
  readonly during: D;
  readonly cause: unknown;
}

/** The part of an `EventReporter` that reports failed operations. */
export interface ErrorReporter<D extends string> {
  readonly hasListener: boolean;
  report(event: FailedOperation<D>): void;
  warn(culprit: Culprit, during: string, cause: unknown): void;
}

/** Reports an error to the listener; without one, as a warning of the process. */
export function reportError<D extends string>(events: ErrorReporter<D>, mind: Mind, during: D, cause: unknown): void {
  const culprit = culpritOf(cause);
  if (events.hasListener) events.report({ mind, kind: 'error', culprit, during, cause });
  else events.warn(culprit, during, cause);
}
