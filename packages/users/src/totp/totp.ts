import { createHmac, randomBytes } from 'node:crypto';
import { SecretError } from '../errors.ts';
import type { TotpRecord } from '../user-record.ts';
import { decodeBase32, encodeBase32 } from './base32.ts';

/** The parameters of a new TOTP secret. */
export interface TotpParameters {
  /** Default: `sha1`. Many authenticator apps ignore another hash and then show wrong codes. */
  readonly algorithm?: TotpRecord['algorithm'];
  /** The number of digits of a code, 6 to 8. Default: 6. */
  readonly digits?: number;
  /** The seconds of one step. Default: 30. */
  readonly period?: number;
}

/**
 * Returns a new TOTP record with a random secret of the length of the hash: 20 octets for SHA-1
 * (RFC 4226 §4, R6).
 *
 * @throws SecretError for parameters that no code can have.
 */
export function generateTotp(parameters: TotpParameters = {}): TotpRecord {
  const { algorithm = 'sha1', digits = 6, period = 30 } = parameters;
  const record = { secret: encodeBase32(randomBytes(HASH_OCTETS[algorithm] ?? 20)), algorithm, digits, period };
  parseTotp(record);
  return record;
}

/**
 * Returns the code of a TOTP record (RFC 6238 §4) at a time in milliseconds since 1970. Default:
 * now.
 *
 * @throws SecretError if the record is malformed.
 */
export function totpCode(record: TotpRecord, time: number = Date.now()): string {
  const totp = parseTotp(record);
  return codeOfStep(totp, stepAt(totp, time));
}

/** A {@link TotpRecord} with its defaults and its decoded secret. */
export interface Totp extends Required<TotpRecord> {
  readonly key: Buffer;
}

/** @throws SecretError if the record is malformed. The message does not contain the secret. */
export function parseTotp(record: TotpRecord): Totp {
  const { secret } = record;
  // A store may return null for a field that is not set.
  const algorithm = record.algorithm ?? 'sha1';
  const digits = record.digits ?? 6;
  const period = record.period ?? 30;
  const lastStep = record.lastStep ?? -1;
  const key = decodeBase32(secret);
  if (key === undefined) throw malformed('the secret is not in base32');
  if (key.length < MIN_SECRET_OCTETS) {
    throw malformed(`the secret has ${key.length} octets, expected at least ${MIN_SECRET_OCTETS}`);
  }
  if (!Object.hasOwn(HASH_OCTETS, algorithm)) throw malformed('expected the algorithm sha1, sha256 or sha512');
  if (!(Number.isInteger(digits) && digits >= 6 && digits <= 8)) throw malformed('expected 6 to 8 digits');
  if (!(Number.isInteger(period) && period >= 1 && period <= MAX_PERIOD_SECONDS)) {
    throw malformed(`expected a period of 1 to ${MAX_PERIOD_SECONDS} seconds`);
  }
  if (!Number.isInteger(lastStep)) throw malformed('expected a whole number as the last step');
  return { secret, key, algorithm, digits, period, lastStep };
}

/** Returns the step of a time in milliseconds since 1970. */
export function stepAt({ period }: Totp, time: number): number {
  return Math.floor(time / 1000 / period);
}

/** Returns the code of a step: HOTP with the step as its counter (RFC 4226 §5.3, RFC 6238 §4.2). */
export function codeOfStep({ key, algorithm, digits }: Totp, step: number): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const digest = createHmac(algorithm, key).update(counter).digest();
  const offset = digest.readUInt8(digest.length - 1) & 0x0f;
  const number = digest.readUInt32BE(offset) & 0x7fff_ffff;
  return String(number % 10 ** digits).padStart(digits, '0');
}

function malformed(what: string): SecretError {
  return new SecretError('malformed-secret', `the TOTP record is malformed: ${what}`);
}

/** The length of a new secret in octets: that of the hash. */
const HASH_OCTETS: Readonly<Record<Totp['algorithm'], number>> = { sha1: 20, sha256: 32, sha512: 64 };

/** Early authenticator apps made secrets of 80 bits, below the 128 bits of RFC 4226 §4. */
const MIN_SECRET_OCTETS = 10;

const MAX_PERIOD_SECONDS = 3600;
