import type { UserRecord } from '../user-record.ts';
import { LineSplitter } from './line-splitter.ts';
import type { UserFileItem, UserFileOptions, UserFileProblem } from './user-file.ts';
import { UserFileParser } from './user-file-parser.ts';

/** The users and the problems of a user file. */
export interface ParsedUserFile {
  readonly users: readonly UserRecord[];
  readonly problems: readonly UserFileProblem[];
}

/**
 * Reads the text or the octets of an htpasswd file, a Dovecot passwd-file or a shadow file. The
 * problems name lines and users, and hold no secret. Of two users of one name `users` has the
 * first.
 *
 * @example
 * ```ts
 * import { parseUserFile } from '@postern/users';
 *
 * const text = 'ann:{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M=\njoe\n';
 * const { users, problems } = parseUserFile(text, { format: 'htpasswd' });
 * console.log(users.length);
 * for (const { line, reason } of problems) console.error(`line ${line} ${reason}`);
 * ```
 */
export function parseUserFile(content: string | Uint8Array, options: UserFileOptions): ParsedUserFile {
  const [users, problems]: [UserRecord[], UserFileProblem[]] = [[], []];
  for (const item of items(typeof content === 'string' ? Buffer.from(content) : content, options)) {
    if (item.kind === 'user') users.push(item.user);
    else problems.push(item);
  }
  return { users, problems };
}

/**
 * Reads a user file in chunks, as of `createReadStream`, for files of any size. The iteration keeps
 * one line, and the canonical names of all users to find duplicates.
 *
 * @example
 * ```ts
 * import { createReadStream } from 'node:fs';
 * import { readUserFile } from '@postern/users';
 *
 * const chunks = createReadStream('/etc/dovecot/users');
 * for await (const item of readUserFile(chunks, { format: 'passwd-file' })) {
 *   if (item.kind === 'user') console.log(item.user.name);
 *   else console.error(`line ${item.line} ${item.reason}`);
 * }
 * ```
 */
export async function* readUserFile(
  chunks: AsyncIterable<Uint8Array>,
  options: UserFileOptions,
): AsyncGenerator<UserFileItem, void> {
  const [splitter, parser] = [new LineSplitter(), new UserFileParser(options)];
  for await (const chunk of chunks) {
    for (const line of splitter.push(chunk)) yield* parser.line(line);
  }
  const last = splitter.end();
  if (last !== undefined) yield* parser.line(last);
}

function* items(content: Uint8Array, options: UserFileOptions): Generator<UserFileItem> {
  const [splitter, parser] = [new LineSplitter(), new UserFileParser(options)];
  for (const line of splitter.push(content)) yield* parser.line(line);
  const last = splitter.end();
  if (last !== undefined) yield* parser.line(last);
}
