/** One user of a {@link UserStore}. Everything but the name and the secrets is optional. */
export interface UserRecord {
  /** The name as it is stored. It becomes the avatar id, whatever spelling the client sent. */
  readonly name: string;
  /**
   * The stored forms of the user's one password, in any spelling that `parseSecret` reads: usually
   * an argon2id hash and a SCRAM record. An empty list is a user without a password.
   */
  readonly secrets: readonly string[];
  /** False refuses the user, also with the right password. Default: true. */
  readonly enabled?: boolean;
  /** The time from which the user is refused, also with the right password. Default: never. */
  readonly expires?: Date;
  /**
   * True refuses the right password until the user has changed it. ESMTP replies 432. Default:
   * false.
   */
  readonly mustChangePassword?: boolean;
  /**
   * The protocols in which the user may log in, as `Mind.protocol` names them: `smtp`, `imap`.
   * Default: all.
   */
  readonly scopes?: readonly string[];
  /** At most 1,000 passwords of single programs, which skip the second factor. Default: none. */
  readonly appPasswords?: readonly AppPassword[];
  /** The second factor: the user's password needs a one-time code. Default: none. */
  readonly totp?: TotpRecord;
}

/** A password that a user has made for one program, such as the mail client of a phone. */
export interface AppPassword {
  /** The user's name for it, unique among the user's application passwords: `phone`. */
  readonly name: string;
  /** The stored forms of this password, as in {@link UserRecord.secrets}. */
  readonly secrets: readonly string[];
  /** The protocols in which it may be used. Default: those of the user. */
  readonly scopes?: readonly string[];
  /** The time from which it is refused. Default: never. */
  readonly expires?: Date;
  /** The time of the last login with it. Default: not used yet. */
  readonly lastUsed?: Date;
}

/** The secret of a user's one-time codes (RFC 6238). */
export interface TotpRecord {
  /** The shared secret in base32 (RFC 4648 §6): 80 bits or more, without padding. */
  readonly secret: string;
  /** The hash. Default: `sha1`, which all authenticator apps know. */
  readonly algorithm?: 'sha1' | 'sha256' | 'sha512';
  /** The number of digits of a code, 6 to 8. Default: 6. */
  readonly digits?: number;
  /** The seconds of one step. Default: 30. */
  readonly period?: number;
  /** The step of the last accepted code. This step and earlier ones are refused. Default: none. */
  readonly lastStep?: number;
}
