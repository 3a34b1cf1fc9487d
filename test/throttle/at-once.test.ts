import { type Checker, LoginDenied, type Mind, UnauthorizedLogin, UsernamePassword } from '@postern/cred';
import { type FailureCounts, InMemoryFailureCounts, withThrottle } from '@postern/throttle';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mindOf } from '../cred/support.ts';
import { guarded, HERE } from './support.ts';

describe('a login without earlier failures', () => {
  /** A mind whose signal no code may read, because the signal costs more than the login. */
  const cheap: Mind = Object.defineProperty({ ...HERE, disconnected: false }, 'signal', {
    get: () => expect.fail('the signal was read'),
  });

  it('is judged at once if the checker answers at once', () => {
    const { checker } = guarded();
    expect(checker.requestAvatarId(new UsernamePassword('joe', 's3cret'), cheap)).toBe('joe');
  });

  it('waits for a checker and a store that are asynchronous, and reads no signal', async () => {
    const slow: Checker<UsernamePassword> = {
      credentialInterfaces: [UsernamePassword],
      requestAvatarId: async ({ username }) => username,
    };
    const throttle = withThrottle(slow, { counts: asynchronous(new InMemoryFailureCounts()) });
    expect(await throttle.requestAvatarId(new UsernamePassword('joe', 's3cret'), cheap)).toBe('joe');
  });
});

describe('the verdict at once', () => {
  const attempt = fc.record({
    username: fc.constantFrom('joe', 'JOE', 'jöe', 'ann'),
    password: fc.constantFrom('s3cret', 'a', 'b', 'c', 'd'),
    address: fc.constantFrom('192.0.2.1', '192.0.2.2', '2001:db8::1', '2001:db8:0:1::1'),
    pause: fc.constantFrom(0, 0, 0, 10, 30),
  });

  it('is the verdict of a throttle whose store and checker are asynchronous', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(attempt, { maxLength: 60 }), async (attempts) => {
        let now = 0;
        const clock = { now: () => now, after: () => ({ [Symbol.dispose]() {} }) };
        const sets = [
          { isStoreSlow: false, isCheckerSlow: false },
          { isStoreSlow: false, isCheckerSlow: true },
          { isStoreSlow: true, isCheckerSlow: false },
          { isStoreSlow: true, isCheckerSlow: true },
        ].map(({ isStoreSlow, isCheckerSlow }) => {
          const counts = new InMemoryFailureCounts({ clock });
          const checker = isCheckerSlow
            ? { ...JUDGE, requestAvatarId: async (c: UsernamePassword) => judge(c) }
            : JUDGE;
          return withThrottle(checker, {
            clock,
            counts: isStoreSlow ? asynchronous(counts) : counts,
            userAndNetwork: { failures: 2, window: 50 },
            network: { failures: 4, window: 70 },
            site: { failures: 5, window: 90 },
            user: { failures: 3, window: 60 },
          });
        });
        for (const { username, password, address, pause } of attempts) {
          now += pause;
          const mind = mindOf({ address, family: address.includes(':') ? 'IPv6' : 'IPv4' });
          const verdicts = [];
          for (const throttle of sets) {
            verdicts.push(await verdictOf(throttle, new UsernamePassword(username, password), mind));
          }
          expect(new Set(verdicts).size, verdicts.join(' | ')).toBe(1);
        }
      }),
    );
  });
});

/** Returns the store with methods that return promises. */
function asynchronous(counts: InMemoryFailureCounts): FailureCounts {
  return {
    get: async (key) => counts.get(key),
    add: async (key, window) => counts.add(key, window),
    reset: async (key) => counts.reset(key),
    remaining: async (key) => counts.remaining(key),
  };
}

async function verdictOf(throttle: Checker<UsernamePassword>, credentials: UsernamePassword, mind: Mind) {
  try {
    return String(await throttle.requestAvatarId(credentials, mind));
  } catch (error) {
    return error instanceof LoginDenied ? `${error.reason} ${error.retryAfter}` : String(error);
  }
}

function judge({ username, password }: UsernamePassword): string {
  if (password !== 's3cret') throw new UnauthorizedLogin();
  return username;
}

const JUDGE: Checker<UsernamePassword> = { credentialInterfaces: [UsernamePassword], requestAvatarId: judge };
