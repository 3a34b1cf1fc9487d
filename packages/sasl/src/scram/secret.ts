import { randomBytes, timingSafeEqual } from 'node:crypto';
import { type InspectOptions, inspect } from 'node:util';
import { encodeBase64 } from '../bytes.ts';
import { preparePassword } from '../password.ts';
import { SCRAM_HASHES, type ScramHash } from './hashes.ts';
import { HmacKey, h, withRoom, xor } from './hmac.ts';
import { deriveKeys } from './keys.ts';
import { formatRecord, parseRecord, type ScramRecordForm, type ScramSecretParts } from './records.ts';

/** The parameters of a new secret. */
export interface ScramDerivation {
  readonly hash: ScramHash;
  /** Default: 16 random bytes. */
  readonly salt?: Uint8Array;
  /** Default: {@link DEFAULT_ITERATIONS}. */
  readonly iterations?: number;
}

/**
 * The stored secret of a user for one SCRAM hash (RFC 5802 §3). A server can check a proof and
 * prove itself with it, but not log in as the user. A user may have one secret for each hash. The
 * keys show in no log, in no `util.inspect` and in no `JSON.stringify`.
 *
 * @example
 * ```ts
 * import { ScramSecret } from '@postern/sasl';
 *
 * const secret = await ScramSecret.derive('pencil', { hash: 'sha256' });
 * const record = secret.format('postgresql');
 * console.log(await ScramSecret.parse(record)?.verifyPassword('pencil'));
 * ```
 */
export class ScramSecret {
  readonly hash: ScramHash;
  readonly salt: Uint8Array;
  /** The salt in base64, as each client receives it. */
  readonly encodedSalt: string;
  readonly iterations: number;
  readonly #storedKey: Buffer;
  readonly #serverKey: Buffer;
  #storedHmac: HmacKey | undefined;
  #serverHmac: HmacKey | undefined;

  /**
   * @throws RangeError for an iteration count outside 4,096 to 10,000,000, and for a wrong length
   * of salt or key.
   */
  constructor({ hash, salt, iterations, storedKey, serverKey }: ScramSecretParts) {
    const { length } = SCRAM_HASHES[hash];
    checkIterations(iterations);
    if (salt.length === 0 || salt.length > MAX_SALT_BYTES)
      throw new RangeError(`salt: expected 1 to ${MAX_SALT_BYTES} bytes, not ${salt.length}`);
    if (storedKey.length !== length || serverKey.length !== length) {
      throw new RangeError(`the keys of ${SCRAM_HASHES[hash].mechanism} have ${length} bytes`);
    }
    this.hash = hash;
    this.salt = Uint8Array.from(salt);
    this.encodedSalt = encodeBase64(salt);
    this.iterations = iterations;
    this.#storedKey = Buffer.from(storedKey);
    this.#serverKey = Buffer.from(serverKey);
  }

  /**
   * Resolves with the secret of a password. SASLprep prepares the password as a stored string
   * (RFC 5802 §2.2). A password that SASLprep refuses stays unchanged, as in PostgreSQL.
   *
   * @throws TypeError for a text that cannot be a password.
   * @throws RangeError for a wrong salt or iteration count.
   */
  static async derive(
    password: string,
    { hash, salt = randomBytes(DEFAULT_SALT_LENGTH), iterations = DEFAULT_ITERATIONS }: ScramDerivation,
  ): Promise<ScramSecret> {
    const prepared = preparePassword(password);
    if (prepared === undefined) {
      throw new TypeError('a password is not empty, has at most 4,096 octets and no NUL, and is well-formed');
    }
    checkIterations(iterations);
    const { storedKey, serverKey } = await deriveKeys(hash, prepared, salt, iterations);
    return new ScramSecret({ hash, salt, iterations, storedKey, serverKey });
  }

  /**
   * Parses a stored secret: `SCRAM-SHA-256$4096:salt$stored:server` of LDAP (RFC 5803) and
   * PostgreSQL, or `{SCRAM-SHA-256}4096,salt,stored,server` of Dovecot. Returns undefined for
   * another text, and for a secret with less than 4,096 iterations.
   */
  static parse(record: string): ScramSecret | undefined {
    const parts = parseRecord(record);
    if (parts === undefined) return undefined;
    try {
      return new ScramSecret(parts);
    } catch {
      return undefined;
    }
  }

  /**
   * Returns the secret as a record to store. Protect it like a password: its owner can impersonate
   * the server.
   */
  format(form: ScramRecordForm): string {
    return formatRecord(this, form);
  }

  /** StoredKey: H(ClientKey). Never log it. */
  get storedKey(): Uint8Array {
    return Uint8Array.from(this.#storedKey);
  }

  /** The key with which a server proves that it knows the user. Never log it. */
  get serverKey(): Uint8Array {
    return Uint8Array.from(this.#serverKey);
  }

  /**
   * Returns the server's signature of this AuthMessage (RFC 5802 §3) in base64. Returns undefined
   * unless the client made the proof with the password of this secret, for the same AuthMessage.
   */
  sign(proof: Uint8Array, authMessage: string): string | undefined {
    if (proof.length !== this.#storedKey.length) return undefined;
    this.#storedHmac ??= new HmacKey(this.hash, this.#storedKey);
    this.#serverHmac ??= new HmacKey(this.hash, this.#serverKey);
    const message = withRoom(this.hash, authMessage);
    const clientKey = xor(this.#storedHmac.digest(message), proof);
    const proved = timingSafeEqual(h(this.hash, clientKey), this.#storedKey);
    // A right ClientKey would let its owner log in as the user, which StoredKey does not.
    clientKey.fill(0);
    return proved ? this.#serverHmac.base64(message) : undefined;
  }

  /**
   * Resolves with true if this is the password, for mechanisms that send it as it is. It tries the
   * password as SASLprep prepares it, and then as it is, since some servers derive from raw octets.
   * The number of derivations depends on a wrong password alone, and never on the secret.
   */
  async verifyPassword(password: string): Promise<boolean> {
    const prepared = preparePassword(password);
    const right = await this.#isDerivedFrom(prepared ?? 'none');
    if (prepared === undefined) return false;
    return right || (prepared !== password && (await this.#isDerivedFrom(password)));
  }

  async #isDerivedFrom(password: string): Promise<boolean> {
    const { storedKey } = await deriveKeys(this.hash, password, this.salt, this.iterations);
    return timingSafeEqual(storedKey, this.#storedKey);
  }

  /** Returns the text of `util.inspect`: no keys, even with the option `getters`. */
  [inspect.custom](_depth: number, options: InspectOptions): string {
    const { hash, iterations } = this;
    return `ScramSecret ${inspect({ hash, iterations }, options)}`;
  }

  /** Returns the value for `JSON.stringify`: no keys. {@link format} returns a record to store. */
  toJSON(): { readonly hash: ScramHash; readonly iterations: number } {
    const { hash, iterations } = this;
    return { hash, iterations };
  }
}

/**
 * Checks an iteration count.
 *
 * @throws RangeError for a count outside 4,096 to 10,000,000.
 */
export function checkIterations(iterations: number): void {
  if (Number.isInteger(iterations) && iterations >= MIN_ITERATIONS && iterations <= MAX_ITERATIONS) return;
  throw new RangeError(
    `iterations: expected a whole number from ${MIN_ITERATIONS} to ${MAX_ITERATIONS}, not ${iterations}`,
  );
}

/**
 * The default iteration count of a new secret. OWASP asks for 600,000 with SHA-256, but clients of
 * Cyrus SASL refuse more than 65,536, and their users could not log in.
 */
export const DEFAULT_ITERATIONS = 60_000;

/** The lowest iteration count of SCRAM (RFC 5802 §5.1, RFC 7677 §4) and of this package. */
export const MIN_ITERATIONS = 4096;

/**
 * The highest iteration count: some seconds of work. A record with more attacks the server (RFC
 * 5803 §3).
 */
export const MAX_ITERATIONS = 10_000_000;

/** The default length of a new salt in bytes. */
export const DEFAULT_SALT_LENGTH = 16;

const MAX_SALT_BYTES = 1024;
