import { cryptField, type NoUser, type ParsedLine } from './parsed-line.ts';

/**
 * Reads one line of an htpasswd file as Apache's mod_authn_file does: `NAME:HASH`, perhaps with a
 * comment after a further colon. Apache ignores blanks around a line, blank lines, and lines that
 * begin with `#`. nginx also reads `{PLAIN}` and `{SSHA}`.
 */
export function htpasswdLine(text: string): ParsedLine | NoUser {
  const line = text.trim();
  if (line === '' || line.startsWith('#')) return { comment: line || undefined };
  const [name = '', field] = line.split(':', 2);
  if (field === undefined) return { malformed: 'has no ":"; expected NAME:HASH' };
  return { name, secret: cryptField(field), ...(/^\*[01]$/.test(field) && { noPassword: FAILED_HASH }) };
}

/** crypt(3) returns `*0` for a setting that it refuses, and htpasswd writes it (`-5 -r 10`). */
const FAILED_HASH = 'has no password: htpasswd could not make the hash; expected a new one, such as by htpasswd -B';
