/** A hash that a worker thread computes. The thread clears the password. */
export interface HashJob {
  readonly algorithm: 'bcrypt' | 'crypt';
  readonly password: Uint8Array<ArrayBuffer>;
  /** A whole hash, or its beginning with the parameters and the salt. */
  readonly setting: string;
}

/** The reply of a worker thread: the hash, or undefined for a setting that it cannot use. */
export type HashReply = string | undefined;
