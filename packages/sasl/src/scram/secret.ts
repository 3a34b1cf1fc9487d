import { randomBytes, timingSafeEqual } from 'node:crypto';
import { type InspectOptions, inspect } from 'node:util';
import { encodeBase64 } from '../bytes.ts';
import { preparePassword } from '../password.ts';
import { SCRAM_HASHES, type ScramHash } from './hashes.ts';
import { HmacKey, h, withRoom, xor } from './hmac.ts';
import { deriveKeys } from './keys.ts';
import { formatRecord, parseRecord, type ScramRecordForm, type ScramSecretParts } from './records.ts';

/** How a new secret is made of a password. */
export interface ScramDerivation {
  readonly hash: ScramHash;
  /** Default: 16 random bytes. */
  readonly salt?: Uint8Array;
  /** Default: {@link DEFAULT_ITERATIONS}. */
  readonly iterations?: number;
}

/**
 * What a server stores of a user for one SCRAM hash (RFC 5802 §3): enough to check a proof and to prove itself, not enough to log
 * in as the user. A user may have several, one a hash. The keys show in no log, `util.inspect` or `JSON.stringify`.
 */
export class ScramSecret {
  readonly hash: ScramHash;
  readonly salt: Uint8Array;
  /** The salt in base64, as it is said to every client. */
  readonly encodedSalt: string;
  readonly iterations: number;
  readonly #storedKey: Buffer;
  readonly #serverKey: Buffer;
  #storedHmac: HmacKey | undefined;
  #serverHmac: HmacKey | undefined;

  /** Throws a RangeError if an iteration count, a salt or a key cannot be one. */
  constructor({ hash, salt, iterations, storedKey, serverKey }: ScramSecretParts) {
    const { length } = SCRAM_HASHES[hash];
    checkIterations(iterations);
    if (salt.length === 0 || salt.length > MAX_SALT) throw new RangeError(`a salt has 1 to ${MAX_SALT} bytes`);
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
   * Makes the secret of a password, which it prepares as a stored string (RFC 5802 §2.2), or takes
   * unchanged where SASLprep refuses it, as PostgreSQL does. Rejects with a TypeError if the text can
   * be no password, with a RangeError for a salt or an iteration count that is none.
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
   * Reads a stored secret: `SCRAM-SHA-256$4096:salt$stored:server` as LDAP (RFC 5803) and PostgreSQL write it, or Dovecot's
   * `{SCRAM-SHA-256}4096,salt,stored,server`. Undefined if it is none, or none that may be used (below 4096 iterations).
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

  /** The secret as a record to store. It is worth protecting like a password: with it a server can be impersonated. */
  format(form: ScramRecordForm): string {
    return formatRecord(this, form);
  }

  /** H(ClientKey). Never log it. */
  get storedKey(): Uint8Array {
    return Uint8Array.from(this.#storedKey);
  }

  /** With it a server proves that it knows the user. Never log it. */
  get serverKey(): Uint8Array {
    return Uint8Array.from(this.#serverKey);
  }

  /**
   * The server's signature over this AuthMessage (RFC 5802 §3), in base64 as it is said, for who has proved to know the password:
   * undefined unless the proof was made with it over the same.
   */
  sign(proof: Uint8Array, authMessage: string): string | undefined {
    if (proof.length !== this.#storedKey.length) return undefined;
    this.#storedHmac ??= new HmacKey(this.hash, this.#storedKey);
    this.#serverHmac ??= new HmacKey(this.hash, this.#serverKey);
    const message = withRoom(this.hash, authMessage);
    const clientKey = xor(this.#storedHmac.digest(message), proof);
    const proved = timingSafeEqual(h(this.hash, clientKey), this.#storedKey);
    // With a right one the client can be impersonated, unlike with what is stored.
    clientKey.fill(0);
    return proved ? this.#serverHmac.base64(message) : undefined;
  }

  /**
   * Resolves to true if this is the password, for mechanisms that send it as it is: first as SASLprep
   * prepares it, then, if that is something else, as it is. Other servers derive from the raw octets.
   * The number of derivations, one or two, depends on a wrong password alone, never on the secret.
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

  /** What `util.inspect` shows: no keys, even if asked to call getters. */
  [inspect.custom](_depth: number, options: InspectOptions): string {
    const { hash, iterations } = this;
    return `ScramSecret ${inspect({ hash, iterations }, options)}`;
  }

  /** What `JSON.stringify` writes: no keys. A record to store comes from `format`. */
  toJSON(): { readonly hash: ScramHash; readonly iterations: number } {
    const { hash, iterations } = this;
    return { hash, iterations };
  }
}

/** Throws a RangeError if this cannot be the iteration count of a secret. */
export function checkIterations(iterations: number): void {
  if (Number.isInteger(iterations) && iterations >= MIN_ITERATIONS && iterations <= MAX_ITERATIONS) return;
  throw new RangeError(`an iteration count is a whole number from ${MIN_ITERATIONS} to ${MAX_ITERATIONS}`);
}

/**
 * Iterations of a new secret, unless told otherwise. OWASP asks for more (600,000 for SHA-256), but clients built on Cyrus SASL
 * refuse more than 65,536, and then their users cannot log in.
 */
export const DEFAULT_ITERATIONS = 60_000;

/** The least that a client must take (RFC 5802 §5.1, RFC 7677 §4), and the least that this package works with. */
export const MIN_ITERATIONS = 4096;

/** Some seconds of work: a record that asks for more is an attack on the server that reads it (RFC 5803 §3). */
export const MAX_ITERATIONS = 10_000_000;

/** Bytes of a new secret's salt, unless told otherwise. */
export const DEFAULT_SALT_LENGTH = 16;

const MAX_SALT = 1024;
