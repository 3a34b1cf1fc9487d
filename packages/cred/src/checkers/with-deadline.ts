import { type Clock, systemClock } from '@postern/core';
import { askChecker, type Checker } from '../checker.ts';
import type { Credentials } from '../credentials.ts';
import { checkDeadline, LoginAttempt } from '../login-attempt.ts';

/**
 * Returns the checker with a timeout in milliseconds. A checker that takes longer counts as down
 * (`TemporaryFailure`), and the signal of its mind aborts. Meant for a member of a cascade: a
 * portal has a timeout for the whole login. For live credentials the time includes the client's
 * answers, and a client that answers slowly learns which users the checker knows.
 *
 * @example
 * ```ts
 * import { CascadingChecker, type Checker, type PasswordProof, withDeadline } from '@postern/cred';
 *
 * declare const directory: Checker<PasswordProof>;
 * declare const database: Checker<PasswordProof>;
 * const users = CascadingChecker.of(withDeadline(directory, 5_000), database);
 * ```
 *
 * @throws RangeError if `milliseconds` is not a positive number below 2^31.
 */
export function withDeadline<C extends Credentials>(
  checker: Checker<C>,
  milliseconds: number,
  clock: Clock = systemClock,
): Checker<C> {
  checkDeadline('milliseconds', milliseconds);
  return {
    get credentialInterfaces() {
      return checker.credentialInterfaces;
    },
    requestAvatarId(credentials, mind) {
      const attempt = new LoginAttempt(mind, clock, milliseconds, 'a checker');
      return attempt.run(() => askChecker(checker, credentials, attempt));
    },
  };
}
