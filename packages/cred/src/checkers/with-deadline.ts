import { type Clock, systemClock } from '@postern/core';
import { askChecker, type Checker } from '../checker.ts';
import type { Credentials } from '../credentials.ts';
import { checkDeadline, LoginAttempt } from '../login-attempt.ts';

/**
 * The checker, but it answers within so many milliseconds or it counts as down (TemporaryFailure), and is told by the mind's
 * signal. For a member of a cascade: a portal has a deadline for the whole login. With live credentials the time includes the
 * client's own answers, and a slow client is told which users the checker knows. Throws a RangeError if nothing can wait so long.
 */
export function withDeadline<C extends Credentials>(
  checker: Checker<C>,
  milliseconds: number,
  clock: Clock = systemClock,
): Checker<C> {
  checkDeadline(milliseconds);
  return {
    credentialInterfaces: checker.credentialInterfaces,
    requestAvatarId(credentials, mind) {
      const attempt = new LoginAttempt(mind, clock, milliseconds, 'a checker');
      return attempt.run(() => askChecker(checker, credentials, attempt));
    },
  };
}
