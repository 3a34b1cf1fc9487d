import { UserStoreError } from '../errors.ts';

/**
 * Returns true if another process holds a lock. SQLite has several such codes, all with one message
 * and one lower octet.
 */
export function isBusy(error: unknown): boolean {
  const code = resultCode(error);
  return code === SQLITE_BUSY || code === SQLITE_LOCKED;
}

/** Returns an error of SQLite as an error for the operator. Returns any other error as it is. */
export function operatorError(error: unknown, path: string): unknown {
  const code = resultCode(error);
  if (code === undefined) return error;
  const advice = ADVICE.get(code) ?? `SQLite has failed with code ${code}: ${(error as Error).message}`;
  return new UserStoreError(`the user database ${path} cannot be used: ${advice}`, { cause: error });
}

/** Returns SQLite's primary result code, without the extension in the upper octets. */
function resultCode(error: unknown): number | undefined {
  const code = error instanceof Error && 'errcode' in error ? error.errcode : undefined;
  return typeof code === 'number' ? code & 0xff : undefined;
}

const SQLITE_BUSY = 5;
const SQLITE_LOCKED = 6;

/** What the operator can do, by SQLite's primary result code. */
const ADVICE: ReadonlyMap<number, string> = new Map([
  [8, 'the file or its directory is read-only; let this user write there, or open it with `readOnly`'],
  [10, 'the disk has failed to read or write'],
  [11, 'the file is damaged; restore it from a copy'],
  [13, 'the disk is full'],
  [14, 'SQLite cannot open the file, or its `-wal` and `-shm` beside it'],
  [26, 'the file is no SQLite database'],
]);
