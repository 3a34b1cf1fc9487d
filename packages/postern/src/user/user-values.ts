import { UsageError } from '../errors.ts';
import { splitList } from '../option-values.ts';
import { suggestion } from '../suggest.ts';

/**
 * Parses the value of `--expires`: a date, at its beginning in UTC, or a date with a time. Returns
 * null for `never`.
 *
 * @throws UsageError
 */
export function parseExpires(value: string): Date | null {
  if (value === 'never') return null;
  const [, day, time = 'T00:00:00Z'] = /^(\d{4}-\d{2}-\d{2})(T\d{2}:\d{2}(?::\d{2})?Z)?$/.exec(value) ?? [];
  const date = new Date(`${day}${time}`);
  // JavaScript takes 31 February for the third of March.
  if (day === undefined || Number.isNaN(date.getTime()) || date.toISOString().slice(0, day.length) !== day) {
    throw new UsageError('--expires: expected a date such as 2027-01-31, or 2027-01-31T18:00Z, or never');
  }
  return date;
}

/**
 * Parses the value of `--scopes`. Returns null for `all`.
 *
 * @throws UsageError
 */
export function parseScopes(value: string): readonly string[] | null {
  const scopes = [...new Set(splitList(value.toLowerCase()))];
  if (scopes.length === 1 && scopes[0] === 'all') return null;
  const unknown = scopes.find((scope) => !PROTOCOLS.includes(scope));
  if (unknown !== undefined || scopes.length === 0) {
    const mistake = unknown === undefined ? '' : `, not ${JSON.stringify(unknown)}${suggestion(unknown, PROTOCOLS)}`;
    throw new UsageError(`--scopes: expected all, or some of ${PROTOCOLS.join(', ')}${mistake}`);
  }
  return scopes;
}

/** The protocols of Postern, as `Mind.protocol` names them. */
const PROTOCOLS = ['smtp', 'lmtp', 'pop3', 'imap', 'managesieve', 'http'];
