import { randomBytes } from 'node:crypto';
import { UsernamePassword } from '@postern/cred';
import { decodeUtf8, NO_BYTES } from './bytes.ts';
import { isPassword } from './password.ts';
import { preparedAuthzid, preparedName } from './prepared-name.ts';
import { saslprep } from './saslprep/saslprep.ts';

/**
 * Returns the credentials that a client presents as octets: user name, password, and authorization
 * identity if it is not empty. Each mechanism that sends a password as it is calls this function,
 * so that one password is right or wrong in all of them.
 *
 * A password that cannot be right is empty, longer than 4,096 octets, not UTF-8, or contains NUL. A
 * random password that no user has replaces it. Checkers then work as long as for any wrong
 * password. No back end sees an empty password, which LDAP takes for an anonymous login
 * (RFC 4513 §5.1.2).
 *
 * @throws UnauthorizedLogin if SASLprep refuses a name.
 */
export function usernamePassword(
  username: Uint8Array,
  password: Uint8Array,
  authzid: Uint8Array = NO_BYTES,
): UsernamePassword {
  const name = preparedName(username, 'user name');
  const actAs = preparedAuthzid(authzid, name);
  const sent = decodeUtf8(password);
  if (sent === undefined || !isPassword(sent)) return new UsernamePassword(name, IMPOSSIBLE_PASSWORD, actAs);
  return new UsernamePassword(name, sent, actAs, saslprep(sent, 'stored'));
}

/** One for the process, so that a throttle recognizes the same impossible guess. */
const IMPOSSIBLE_PASSWORD = randomBytes(32).toString('base64url');
