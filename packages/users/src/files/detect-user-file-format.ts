import type { UserFileFormat } from './user-file.ts';

/**
 * Returns the format of a user file by its text, or by the beginning of its text. Returns undefined
 * if no line shows the format, for example in an empty file. Only the first 1,000 users count, and
 * a last line without a line end counts only if no other line has a user.
 *
 * - `shadow`: each user has nine fields, and the third to the eighth are numbers or empty.
 * - `passwd-file`: a user has four fields or more, a number as third field, or a
 *   `{SCHEME}` other than `{SHA}` and `{SSHA}`.
 * - `htpasswd`: all other users, with two fields or with a comment as third. A passwd-file of such
 *   lines means the same.
 *
 * @example
 * ```ts
 * import { readFile } from 'node:fs/promises';
 * import { detectUserFileFormat, parseUserFile } from '@postern/users';
 *
 * const text = await readFile('/etc/nginx/users', 'utf8');
 * const format = detectUserFileFormat(text);
 * if (format !== undefined) console.log(parseUserFile(text, { format }).users.length);
 * ```
 */
export function detectUserFileFormat(text: string): UserFileFormat | undefined {
  const formats = new Set<UserFileFormat>();
  let start = text.startsWith('\uFEFF') ? 1 : 0;
  for (let users = 0; users < MAX_USERS && start < text.length; ) {
    const end = text.indexOf('\n', start);
    // The end of the text may cut a line, which then looks like another format.
    if (end < 0 && formats.size > 0) break;
    const format = formatOf(text.slice(start, end < 0 ? text.length : end).trim());
    if (format !== undefined) {
      users++;
      formats.add(format);
    }
    if (end < 0) break;
    start = end + 1;
  }
  if (formats.has('shadow')) return formats.size === 1 ? 'shadow' : undefined;
  if (formats.has('passwd-file')) return 'passwd-file';
  return formats.has('htpasswd') ? 'htpasswd' : undefined;
}

function formatOf(line: string): UserFileFormat | undefined {
  if (line === '' || line.startsWith('#') || !line.includes(':')) return undefined;
  const fields = line.split(':');
  const [, secret = '', third] = fields;
  if (fields.length === 9 && fields.slice(2, 8).every((field) => /^(-1|\d*)$/.test(field))) return 'shadow';
  if (fields.length > 3 || (third !== undefined && /^\d*$/.test(third))) return 'passwd-file';
  return /^\{(?!S?SHA\})/.test(secret) ? 'passwd-file' : 'htpasswd';
}

const MAX_USERS = 1000;
