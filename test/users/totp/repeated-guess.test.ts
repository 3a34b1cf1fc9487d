import { type Checker, type PasswordProof, UsernamePassword } from '@postern/cred';
import { FakeClock } from '@postern/testing';
import { withThrottle } from '@postern/throttle';
import { generateTotp, totpCode } from '@postern/users';
import { describe, expect, it } from 'vitest';
import { mindOf } from '../../cred/support.ts';
import { checkerOf, hashed, NOW } from '../checker-support.ts';

const totp = generateTotp();
const users = [{ name: 'joe', secrets: [hashed('s3cret')], totp }];

describe('a one-time code that was refused beside the right password', () => {
  it('stays refused until it has not been sent for an hour', async () => {
    let now = NOW;
    const { checker } = checkerOf(users, { now: () => now });
    const [soon, late] = [totpCode(totp, NOW + 30 * MINUTE), totpCode(totp, NOW + 61 * MINUTE)];
    for (const code of [soon, late]) await expect(login(checker, `s3cret${code}`)).rejects.toThrow('not right');
    now = NOW + 30 * MINUTE;
    await expect(login(checker, `s3cret${soon}`)).rejects.toThrow('not right');
    await expect(login(checker, `s3cret${totpCode(totp, now + 30_000)}`)).resolves.toBe('joe');
    now = NOW + 61 * MINUTE;
    await expect(login(checker, `s3cret${late}`)).resolves.toBe('joe');
  });

  it('stays usable beside a wrong password: a client without the password spoils no code', async () => {
    let now = NOW;
    const { checker } = checkerOf(users, { now: () => now });
    const code = totpCode(totp, NOW + 10 * MINUTE);
    await expect(login(checker, `guess${code}`)).rejects.toThrow('not right');
    now = NOW + 10 * MINUTE;
    await expect(login(checker, `s3cret${code}`)).resolves.toBe('joe');
  });

  it('leaves a client that knows the password the guesses that a throttle counts', async () => {
    const clock = new FakeClock();
    const { checker } = checkerOf(users, { now: () => NOW + clock.now() });
    const throttled = withThrottle(checker, { clock });
    // Each text is right once in the next two hours.
    const guesses = Array.from({ length: 9 }, (_, index) => `s3cret${totpCode(totp, NOW + (index + 1) * 13 * MINUTE)}`);
    for (let step = 0; step < 240; step += 1) {
      for (const guess of guesses) await expect(login(throttled, guess)).rejects.toMatchObject({ culprit: 'client' });
      await clock.advance(30_000);
    }
  });
});

async function login(checker: Checker<PasswordProof>, password: string): Promise<unknown> {
  return checker.requestAvatarId(new UsernamePassword('joe', password), mindOf());
}

const MINUTE = 60_000;
