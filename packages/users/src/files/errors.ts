import type { UserFileProblem } from './user-file.ts';

/**
 * A user file cannot be used, or some of its users cannot log in. The fault is the operator's. The
 * message is one line without a secret.
 */
export class UserFileError extends Error {
  override readonly name = 'UserFileError';
  readonly culprit = 'operator';
  readonly code: 'bad-user-file' | 'unusable-users';
  /** The path of the file. */
  readonly path: string;
  /** The problems of single lines; empty if the file cannot be read. */
  readonly problems: readonly UserFileProblem[];

  constructor(
    code: UserFileError['code'],
    path: string,
    message: string,
    problems: readonly UserFileProblem[] = [],
    options?: ErrorOptions,
  ) {
    super(`${path}${message}`, options);
    this.code = code;
    this.path = path;
    this.problems = problems;
  }
}

/** Returns a problem as the end of a message: `:4: "joe" has no password`. */
export function describeProblem({ line, name, reason }: UserFileProblem): string {
  return `:${line}: ${name === undefined ? 'the line' : JSON.stringify(name.slice(0, MAX_SHOWN_NAME))} ${reason}`;
}

const MAX_SHOWN_NAME = 80;
