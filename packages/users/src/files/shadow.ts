import { cryptField, type NoUser, type ParsedLine } from './parsed-line.ts';

/**
 * Reads one line of shadow(5): `NAME:HASH:CHANGED:MIN:MAX:WARN:INACTIVE:EXPIRE:RESERVED`. The times
 * are days, and are judged as pam_unix judges them.
 *
 * - CHANGED 0: the password must be changed.
 * - After CHANGED + MAX the password must be changed.
 * - After INACTIVE further days the user is refused.
 * - From EXPIRE on the user is refused.
 */
export function shadowLine(text: string): ParsedLine | NoUser {
  // shadow(5) has no comments. getspent(3) ignores these lines, as in the other files of passwd(5).
  if (text.trim() === '' || text.startsWith('#')) return { comment: text || undefined };
  const fields = text.split(':');
  if (fields.length !== FIELDS)
    return { malformed: `has ${fields.length} fields; expected ${FIELDS}, as in shadow(5)` };
  const [name = '', field = '', ...numbers] = fields;
  const wrong = numbers.slice(0, -1).findIndex((number) => !/^(-1|\d{1,9})?$/.test(number));
  if (wrong >= 0)
    return { name, refusalReasons: [`has no number of days in field ${wrong + 3}; expected digits or nothing`] };
  const [changed, , max, , inactive, expire] = numbers.map(days);
  // Without CHANGED the password has no age.
  const lastDay = changed === undefined || changed === 0 || max === undefined ? undefined : changed + max;
  return {
    name,
    secret: cryptField(field),
    // passwd -l and usermod -L put "!" before the hash, and keep the hash for later.
    ...(/^!+[^!*]/.test(field) && { enabled: false as const }),
    expires: earliest(dayTime(expire), inactive === undefined ? undefined : dayAfter(lastDay, inactive)),
    passwordExpires: changed === 0 ? 0 : dayAfter(lastDay, 0),
  };
}

/** Returns the number of days, or undefined for an empty field or -1: no limit. */
function days(field: string): number | undefined {
  return field === '' || field === '-1' ? undefined : Number(field);
}

/** Returns the beginning of the day after `lastDay` and `more` days. */
function dayAfter(lastDay: number | undefined, more: number): number | undefined {
  return lastDay === undefined ? undefined : dayTime(lastDay + more + 1);
}

/** Returns the time at which the day begins. A day beyond the range of `Date` is never. */
function dayTime(day: number | undefined): number | undefined {
  return day === undefined || day > MAX_DAY ? undefined : day * DAY_MS;
}

function earliest(...times: readonly (number | undefined)[]): number | undefined {
  const set = times.filter((time) => time !== undefined);
  return set.length === 0 ? undefined : Math.min(...set);
}

const FIELDS = 9;
const DAY_MS = 86_400_000;
/** The last day of `Date` (ECMA-262 §21.4.1.1). */
const MAX_DAY = 100_000_000;
