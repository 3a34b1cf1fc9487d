import type { SecretError } from '../errors.ts';
import type { SecretOptions } from '../secrets/secret-options.ts';
import type { UserRecord } from '../user-record.ts';

/** The formats of user files: Apache's htpasswd, Dovecot's passwd-file, and shadow(5). */
export type UserFileFormat = 'htpasswd' | 'passwd-file' | 'shadow';

/** The parameters with which a user file is read. */
export interface UserFileOptions extends SecretOptions {
  readonly format: UserFileFormat;
  /**
   * The scheme of a password without `{SCHEME}` in a passwd-file, as the argument `scheme=` of
   * Dovecot. Default: `CRYPT`.
   */
  readonly defaultScheme?: string;
  /** Returns the time in milliseconds since 1970, to judge dates. Default: `Date.now`. */
  readonly now?: () => number;
}

/** One user or one problem of a user file. */
export type UserFileItem = UserFileUser | UserFileProblem;

/** A user of a user file. */
export interface UserFileUser {
  readonly kind: 'user';
  /** The number of the line, counted from 1. */
  readonly line: number;
  readonly user: UserRecord;
  /**
   * The time from which the user must change the password: the maximum age in shadow(5). `user`
   * has `mustChangePassword` if the time has come. Default: never.
   */
  readonly passwordExpires?: Date;
}

/** A line of a user file that is not taken as it stands. The problem holds no secret. */
export interface UserFileProblem {
  readonly kind: 'problem';
  /** The number of the line, counted from 1. */
  readonly line: number;
  /** The name of the user as it is written; undefined if the line has no readable name. */
  readonly name?: string;
  /** The fault, and the text that would be right. */
  readonly reason: string;
  /** The code of the secret's fault, for `unusable`. */
  readonly code?: SecretError['code'];
  readonly effect: UserFileEffect;
}

/**
 * The effect of a problem:
 *
 * - `file`: the file is damaged or ambiguous, so that no line can be trusted. Examples are two
 *   users of one name, octets that are no UTF-8, and a last line that is cut off.
 * - `refused`: the user is left out, because the line means something that a user record cannot
 *   express, such as a list of networks.
 * - `unusable`: the user is there, and a login is a temporary failure: the secret is malformed,
 *   weak, or of an unknown scheme.
 * - `note`: the user is there. The operator may want to know, for example, that no password is set.
 */
export type UserFileEffect = 'file' | 'refused' | 'unusable' | 'note';
