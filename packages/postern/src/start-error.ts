/** The server cannot start, and not because of how its options are written: the message is a sentence for the operator. Exit code 1. */
export class StartError extends Error {
  override get name(): string {
    return 'StartError';
  }
}

/** The error of a listener that cannot listen, whose message `@postern/node` has written for the operator. */
export function cannotListen(cause: unknown): StartError {
  return new StartError(cause instanceof Error ? cause.message : String(cause), { cause });
}

/** What it comes to if the system lets us make no Maildirs there. */
export function cannotStore(folder: string, cause: unknown): StartError {
  const reason = sentence(cause, NO_FOLDER);
  return new StartError(
    `cannot store messages in ${folder}: ${reason}; expected a folder in which this user may write`,
    {
      cause,
    },
  );
}

function sentence(error: unknown, reasons: ReadonlyMap<string, string>): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error ? String(error.code) : '';
  const reason = reasons.get(code);
  return reason === undefined ? error.message : `${reason} (${code})`;
}

const NO_FOLDER: ReadonlyMap<string, string> = new Map([
  ['EACCES', 'this user may not write there'],
  ['EPERM', 'this user may not write there'],
  ['EROFS', 'that file system cannot be written to'],
  ['EEXIST', 'that is no folder'],
  ['ENOTDIR', 'that is no folder'],
  ['ENOSPC', 'that file system is full'],
]);
