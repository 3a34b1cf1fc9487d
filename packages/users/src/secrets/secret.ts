import type { ScramSecret } from '@postern/sasl';

/** A stored secret, parsed. `kind` says which proofs it can check. */
export type Secret = PasswordHash | ScramRecord | ClearPassword | CramMd5Key | DigestMd5Key | NoPassword;

/** A one-way hash of a password. It checks a password that the client sends as it is. */
export interface PasswordHash {
  readonly kind: 'hash';
  /** The scheme in lower case, without parameters: `argon2id`, `bcrypt`, `sha512-crypt`, `ssha`. */
  readonly scheme: string;
  /** The resources of one comparison, for the {@link HashQueue}. */
  readonly work: HashWork;
  /**
   * The number of octets of a password that the hash depends on, for a scheme that ignores further
   * ones: 72 for bcrypt. Default: all.
   */
  readonly maxOctets?: number;
  /**
   * Compares a password with the hash, in constant time once the password is hashed. Only the
   * {@link HashQueue} calls it. The password is not empty and holds no NUL.
   */
  readonly compare: (password: Buffer, threads: HashThreads) => Promise<boolean> | boolean;
}

/** The resources of one hash operation. */
export interface HashWork {
  /**
   * Where the work is done: on libuv's pool (`argon2`, `scrypt`, `pbkdf2`), on a thread of our own
   * (hashes in JavaScript), or at once because it takes microseconds.
   */
  readonly place: 'pool' | 'thread' | 'here';
  /** The memory of the work in octets; 0 for less than 1 MiB. */
  readonly memory: number;
  /**
   * True for work of about a second or more. The password of an unknown user is not compared with
   * such a hash if the store has others. Default: less.
   */
  readonly heavy?: boolean;
}

/** Threads that compute the hashes written in JavaScript, away from the event loop. */
export interface HashThreads {
  /** bcrypt: resolves to the hash in the spelling of `setting`, which is a whole bcrypt hash. */
  readonly bcrypt: (password: Uint8Array, setting: string) => Promise<string>;
  /**
   * SHA-crypt and MD5-crypt: resolves to the whole hash for the salt and rounds of `setting`. For a
   * password over 511 octets it resolves to `*0`, which equals no hash.
   */
  readonly crypt: (password: Uint8Array, setting: string) => Promise<string>;
}

/** The keys of SCRAM. They also check a password that the client sends as it is. */
export interface ScramRecord {
  readonly kind: 'scram';
  readonly secret: ScramSecret;
}

/** A password in clear text, by an explicit prefix. It checks every proof. */
export interface ClearPassword {
  readonly kind: 'clear';
  readonly password: string;
}

/** The two contexts of HMAC-MD5 after their pads, 32 octets: Dovecot's `{CRAM-MD5}`. */
export interface CramMd5Key {
  readonly kind: 'cram-md5';
  readonly contexts: Buffer;
}

/** MD5 of `user:realm:password`, 16 octets: Dovecot's `{DIGEST-MD5}`. */
export interface DigestMd5Key {
  readonly kind: 'digest-md5';
  readonly digest: Buffer;
}

/** A locked or empty field, such as `!` or `*0`. It equals no password. */
export interface NoPassword {
  readonly kind: 'none';
}

/**
 * The rest of crypt(3), such as yescrypt, through the system's libcrypt: `libcrypt()` of
 * `@postern/crypt`.
 */
export interface Crypt {
  /**
   * Returns the resources of a hash, or undefined if libcrypt does not know the setting.
   *
   * @throws SecretError if the hash needs more memory or time than a login may.
   */
  readonly work: (setting: string) => HashWork | undefined;
  /**
   * Resolves to the hash of the password under this setting, or undefined for a bad setting. For a
   * password that crypt(3) cannot take, it resolves to `*0`, which equals no hash.
   *
   * @throws SecretError if the hash needs more memory or time than a login may.
   */
  readonly hash: (password: Uint8Array, setting: string) => Promise<string | undefined>;
}
