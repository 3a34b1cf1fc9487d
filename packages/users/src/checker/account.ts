import { LoginDenied } from '@postern/cred';
import type { AppPassword, UserRecord } from '../user-record.ts';

/**
 * Denies the login of a user whose account is closed. Only a client with the right proof may learn
 * of it. A store may return null for a field that is not set.
 *
 * @throws LoginDenied
 */
export function checkAccount({ enabled, expires, scopes }: UserRecord, protocol: string, now: number): void {
  if (!(enabled ?? true)) throw new LoginDenied('disabled');
  checkScope(scopes, expires, protocol, now);
}

/**
 * Denies the login with a right password that the user must change first. Application passwords
 * stay valid.
 *
 * @throws LoginDenied
 */
export function checkPasswordChange({ mustChangePassword }: UserRecord): void {
  if (mustChangePassword ?? false) throw new LoginDenied('transition-needed');
}

/**
 * Denies the login with an application password that has expired or is meant for other protocols.
 *
 * @throws LoginDenied
 */
export function checkAppPassword({ expires, scopes }: AppPassword, protocol: string, now: number): void {
  checkScope(scopes, expires, protocol, now);
}

function checkScope(
  scopes: readonly string[] | null | undefined,
  expires: Date | null | undefined,
  protocol: string,
  now: number,
): void {
  // An invalid date counts as past: no comparison with it is true.
  if (expires != null && !(expires.getTime() > now)) throw new LoginDenied('expired');
  if (scopes != null && !scopes.includes(protocol)) {
    throw new LoginDenied('not-authorized', `login denied: not for the protocol ${protocol}`);
  }
}
