/**
 * An error in the operator's options or config file. The message names the option and says what the
 * command expects. The command exits with code 2.
 */
export class UsageError extends Error {
  /** The party that has to act, where the error appears while the server runs. */
  readonly culprit = 'operator';

  override get name(): string {
    return 'UsageError';
  }
}

/**
 * A reason, other than its options, for which the server cannot start: a port in use, a folder
 * without write permission. The message is a sentence for the operator. The command exits with code
 * 1.
 */
export class StartError extends Error {
  override get name(): string {
    return 'StartError';
  }
}

/**
 * A reason, other than its options, for which a command that ends by itself fails: an unknown user,
 * a cancelled question. The message is a sentence for the operator. The command exits with code 1.
 */
export class CommandError extends Error {
  override get name(): string {
    return 'CommandError';
  }
}

/** Calls `parse`. Its UsageError begins with the operator's name of the value. */
export function underName<T>(name: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof UsageError) throw new UsageError(`${name}: ${error.message}`, { cause: error });
    throw error;
  }
}

/** Returns the error for a listener that cannot listen. `@postern/node` words the message. */
export function cannotListen(cause: unknown): StartError {
  return new StartError(messageOf(cause), { cause });
}

/** Returns the error for a folder in which the system allows no Maildir. */
export function cannotStore(folder: string, cause: unknown): StartError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  const reason = FOLDER_REASONS.get(code);
  const sentence = reason === undefined ? messageOf(cause) : `${reason} (${code})`;
  return new StartError(
    `cannot store messages in ${folder}: ${sentence}; expected a folder that this user may write to`,
    { cause },
  );
}

/** Returns the message of an error, or the text of any other thrown value. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

const FOLDER_REASONS: ReadonlyMap<string, string> = new Map([
  ['EACCES', 'this user may not write there'],
  ['EPERM', 'this user may not write there'],
  ['EROFS', 'the file system is read-only'],
  ['EEXIST', 'it is not a folder'],
  ['ENOTDIR', 'it is not a folder'],
  ['ENOSPC', 'the file system is full'],
]);
