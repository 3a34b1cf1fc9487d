import type { AvatarId } from '../avatar-id.ts';
import type { Checker } from '../checker.ts';
import { type Clock, systemClock } from '../clock.ts';
import type { Credentials } from '../credentials.ts';
import { TemporaryFailure } from '../errors.ts';
import type { Mind } from '../mind.ts';

/**
 * The checker, but it answers within so many milliseconds or it counts as down (TemporaryFailure). For a member of a cascade:
 * a portal has a deadline for the whole login. With live credentials the time includes the client's own answers.
 */
export function withDeadline<C extends Credentials>(
  checker: Checker<C>,
  milliseconds: number,
  clock: Clock = systemClock,
): Checker<C> {
  return {
    credentialInterfaces: checker.credentialInterfaces,
    async requestAvatarId(credentials: C, mind: Mind): Promise<AvatarId> {
      const late = Promise.withResolvers<never>();
      using _timer = clock.after(milliseconds, () => late.reject(new TemporaryFailure('a checker took too long')));
      return await Promise.race<AvatarId>([checker.requestAvatarId(credentials, mind), late.promise]);
    },
  };
}
