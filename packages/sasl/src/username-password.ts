import { randomBytes } from 'node:crypto';
import { UsernamePassword } from '@postern/cred';
import { decodeUtf8, NO_BYTES } from './bytes.ts';
import { isPassword } from './password.ts';
import { preparedAuthzid, preparedName } from './prepared-name.ts';
import { saslprep } from './saslprep/saslprep.ts';

/**
 * Returns the credentials that a client presents as octets: user name, password, and authorization
 * identity if it is not empty. All mechanisms and commands that send a password as it is use this
 * function, so that one password is right or wrong in all of them.
 *
 * A password that cannot be right (empty, with NUL, longer than 4,096 octets, no UTF-8) becomes a
 * random one that no user has. Checkers then work as long for it as for any wrong password, and no
 * back end sees an empty password, which LDAP would take for an anonymous login (RFC 4513 §5.1.2).
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
  if (sent === undefined || !isPassword(sent)) return new UsernamePassword(name, NOBODYS_PASSWORD, actAs);
  return new UsernamePassword(name, sent, actAs, saslprep(sent, 'stored'));
}

/** One for the process, so that a throttle recognizes the same impossible guess. */
const NOBODYS_PASSWORD = randomBytes(32).toString('base64url');
