import type { Credentials, Interface } from '@postern/cred';
import type { Challenger } from '@postern/sasl';

/** A login command that is no SASL mechanism: `USER` and `PASS` of POP3, `LOGIN` of IMAP. */
export type LoginCommand = Omit<Challenger, 'challenge'>;

/**
 * Returns a challenger whose exchange is over: the client has sent its credentials in a command of
 * the protocol. The login then has the same timeouts, delays and events as one by SASL. So has a
 * refusal that `credentialsOf` throws, for a name that no user can have.
 */
export function readyChallenger<C extends Credentials>(
  command: LoginCommand & { readonly credentials: Interface<C> },
  credentialsOf: () => C,
): Challenger<C> {
  return { ...command, challenge: credentialsOf };
}
