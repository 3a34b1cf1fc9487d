import { Rejection } from '@postern/esmtp';

/**
 * Returns the Rejection for an error of the file system, which becomes its `cause`. The reply names
 * no path.
 */
export function rejectionFor(error: unknown): Rejection {
  if (error instanceof Rejection) return error;
  const rejection = replyTo(error);
  rejection.cause = error;
  return rejection;
}

/**
 * Returns true for a shortage of file descriptors or memory, which ends when other messages are
 * complete.
 */
export function isShortage(error: unknown): boolean {
  return SHORTAGES.has(codeOf(error));
}

function replyTo(error: unknown): Rejection {
  if (OUT_OF_SPACE.has(codeOf(error))) return new Rejection(452, '4.3.1', 'Not enough room to store the message');
  if (isShortage(error)) return new Rejection(452, '4.3.1', 'Too few resources now');
  return new Rejection(451, '4.3.0', 'The message cannot be stored now');
}

/** Returns the code of a system error (`ENOENT`), or the empty string. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/** Returns true if the error says that the file or its folder does not exist. */
export function isMissing(error: unknown): boolean {
  return codeOf(error) === 'ENOENT';
}

const OUT_OF_SPACE: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);
const SHORTAGES: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'ENOMEM']);
