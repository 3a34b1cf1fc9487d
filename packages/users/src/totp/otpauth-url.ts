import type { TotpRecord } from '../user-record.ts';
import { encodeBase32 } from './base32.ts';
import { parseTotp } from './totp.ts';

/** The names that an authenticator app shows beside the code. */
export interface OtpauthLabel {
  /** The service: `mail.example.com`. */
  readonly issuer: string;
  /** The user: `joe@example.com`. */
  readonly account: string;
}

/**
 * Returns the `otpauth://` URL of a TOTP record. Authenticator apps read it from a QR code. It
 * contains the secret: show it to the user once, and log it never.
 *
 * @throws SecretError if the record is malformed.
 *
 * @example
 * ```ts
 * import { generateTotp, otpauthUrl } from '@postern/users';
 *
 * const totp = generateTotp();
 * console.log(otpauthUrl(totp, { issuer: 'mail.example.com', account: 'joe@example.com' }));
 * ```
 */
export function otpauthUrl(record: TotpRecord, { issuer, account }: OtpauthLabel): string {
  const { algorithm, digits, period, key } = parseTotp(record);
  const parameters = Object.entries({
    secret: encodeBase32(key),
    issuer,
    algorithm: algorithm.toUpperCase(),
    digits,
    period,
  }).map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
  // A colon divides issuer and account, so neither may contain one.
  const label = [issuer, account].map((name) => encodeURIComponent(name.replaceAll(':', ' '))).join(':');
  return `otpauth://totp/${label}?${parameters.join('&')}`;
}
