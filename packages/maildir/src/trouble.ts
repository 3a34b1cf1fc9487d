import { Rejection } from '@postern/esmtp';

/** What a client is told of an error of the file system: to try again, and nothing of paths. The error is the cause. */
export function rejectionFor(error: unknown): Rejection {
  if (error instanceof Rejection) return error;
  const rejection = replyTo(error);
  rejection.cause = error;
  return rejection;
}

/** Returns true if file descriptors or memory ran short: that passes when other messages are done. */
export function isCongestion(error: unknown): boolean {
  return SHORTAGES.has(codeOf(error));
}

function replyTo(error: unknown): Rejection {
  if (OUT_OF_SPACE.has(codeOf(error))) return new Rejection(452, '4.3.1', 'Not enough room to store the message');
  if (isCongestion(error)) return new Rejection(452, '4.3.1', 'Too few resources now');
  return new Rejection(451, '4.3.0', 'The message cannot be stored now');
}

/** The error's code (`ENOENT`), or nothing. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

const OUT_OF_SPACE: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);
const SHORTAGES: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'ENOMEM']);
