import { isLocked } from '../secrets/no-password.ts';

/** One line of a user file, split into the parts that the format gives it. */
export interface ParsedLine {
  /** The name as it is written. */
  readonly name: string;
  /** The password field in a spelling of `parseSecret`, or undefined for no password. */
  readonly secret?: string | undefined;
  /** The reason why there is no password, if the operator would not expect it. */
  readonly noPassword?: string;
  readonly enabled?: false;
  /** The time from which the user is refused, in milliseconds since 1970. */
  readonly expires?: number | undefined;
  /** The time from which the user must change the password, in milliseconds since 1970. */
  readonly passwordExpires?: number | undefined;
  /** The reasons why no user record can express the line. */
  readonly refusalReasons?: readonly string[];
  /** Facts for the operator about a user that is taken. */
  readonly notes?: readonly string[];
}

/** A line that is no user: a comment, a blank line, or a line that is not of the format. */
export type NoUser = { readonly comment: string | undefined } | { readonly malformed: string };

/**
 * Returns a bare password field, which the format reads as crypt(3), in a spelling of
 * `parseSecret`. A bare field without `$` is a DES hash or a locked field, and never a password in
 * clear text.
 */
export function cryptField(field: string): string | undefined {
  if (isLocked(field)) return undefined;
  return /^[${*]/.test(field) ? field : `{CRYPT}${field}`;
}
