import {
  type AvatarId,
  type Checker,
  InMemoryUsernamePasswordDatabaseDontUse,
  type PasswordProof,
  UsernamePassword,
} from '@postern/cred';
import { type ThrottleOptions, withThrottle } from '@postern/throttle';
import { expect } from 'vitest';
import { mindOf } from '../cred/support.ts';

export const HERE = mindOf({ address: '192.0.2.1' });

export const THERE = mindOf({ address: '198.51.100.7' });

export const MINUTE = 60_000;

/** A low limit of user and network, and limits that a test seldom reaches. */
export const limits = {
  userAndNetwork: { failures: 3, window: MINUTE },
  network: { failures: 1000, window: MINUTE },
  site: { failures: 1000, window: MINUTE },
  user: { failures: 1000, window: MINUTE },
} satisfies ThrottleOptions;

/** Returns a throttle around the users joe and ann, which counts the calls of the checker. */
export function guarded(options: ThrottleOptions = limits) {
  const users = new InMemoryUsernamePasswordDatabaseDontUse({ joe: 's3cret', ann: 's3cret' });
  const counted = {
    asked: 0,
    credentialInterfaces: users.credentialInterfaces,
    requestAvatarId(credentials: PasswordProof) {
      counted.asked += 1;
      return users.requestAvatarId(credentials);
    },
  } satisfies Checker<PasswordProof> & { asked: number };
  const checker = withThrottle(counted, options);
  let guesses = 0;
  return {
    counted,
    checker,
    login: async (username: string, password: string, mind = HERE): Promise<AvatarId> =>
      checker.requestAvatarId(new UsernamePassword(username, password), mind),
    /** Guesses a new wrong password at each call. */
    guess: async (username: string, mind = HERE): Promise<unknown> => {
      guesses += 1;
      const credentials = new UsernamePassword(username, `guess ${guesses}`);
      return Promise.resolve(checker.requestAvatarId(credentials, mind)).catch((error: unknown) => error);
    },
  };
}

export const tooMany = expect.objectContaining({ name: 'LoginDenied', reason: 'too-many' });

export const refused = expect.objectContaining({ name: 'UnauthorizedLogin' });
