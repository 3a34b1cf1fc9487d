import { Rejection } from '@postern/esmtp';

/** What a client is told of an error of the file system: to try again, and nothing of paths. The error is the cause. */
export function rejectionFor(error: unknown): Rejection {
  if (error instanceof Rejection) return error;
  const rejection = OUT_OF_SPACE.has(codeOf(error))
    ? new Rejection(452, '4.3.1', 'Not enough room to store the message')
    : new Rejection(451, '4.3.0', 'The message cannot be stored now');
  rejection.cause = error;
  return rejection;
}

/** The error's code (`ENOENT`), or nothing. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

const OUT_OF_SPACE: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);
