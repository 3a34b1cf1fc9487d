import {
  type AvatarId,
  CascadingChecker,
  type Checker,
  TemporaryFailure,
  UnauthorizedLogin,
  UsernamePassword,
  withDeadline,
} from '@postern/cred';
import { FakeClock, settle } from '@postern/testing';
import { describe, expect, it } from 'vitest';
import { mindOf } from '../support.ts';

function checking(requestAvatarId: Checker<UsernamePassword>['requestAvatarId']): Checker<UsernamePassword> {
  return { credentialInterfaces: [UsernamePassword], requestAvatarId };
}
const joe = new UsernamePassword('joe', 's3cret');

describe('withDeadline', () => {
  it('returns the result of the checker and leaves no timer behind', async () => {
    const clock = new FakeClock();
    expect(
      await withDeadline(
        checking(() => 'joe'),
        1000,
        clock,
      ).requestAvatarId(joe, mindOf()),
    ).toBe('joe');
    const refusal = new UnauthorizedLogin();
    const refusing = withDeadline(
      checking(() => Promise.reject(refusal)),
      1000,
      clock,
    );
    await expect(refusing.requestAvatarId(joe, mindOf())).rejects.toBe(refusal);
    expect(clock.pending).toBe(0);
  });

  it('judges the credentials of the checker', () => {
    expect(
      withDeadline(
        checking(() => 'joe'),
        1000,
      ).credentialInterfaces,
    ).toEqual([UsernamePassword]);
  });

  it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31])('throws for a timeout of %d ms', (milliseconds) => {
    expect(() =>
      withDeadline(
        checking(() => 'joe'),
        milliseconds,
      ),
    ).toThrow(RangeError);
  });

  it('fails temporarily after the timeout and aborts the signal of the checker', async () => {
    const clock = new FakeClock();
    const signals: AbortSignal[] = [];
    const slow = checking((_credentials, { signal }) => {
      signals.push(signal);
      return new Promise(() => {});
    });
    const refused = expect(withDeadline(slow, 1000, clock).requestAvatarId(joe, mindOf())).rejects.toBeInstanceOf(
      TemporaryFailure,
    );
    await clock.advance(999);
    expect(signals[0]?.aborted).toBe(false);
    await clock.advance(1);
    await refused;
    expect(signals[0]?.aborted).toBe(true);
  });

  it('lets a cascade ask its next member', async () => {
    const clock = new FakeClock();
    const late = Promise.withResolvers<AvatarId>();
    const cascade = CascadingChecker.of(
      withDeadline(
        checking(() => late.promise),
        1000,
        clock,
      ),
      checking(() => 'joe'),
    );
    const answer = cascade.requestAvatarId(joe, mindOf());
    await clock.advance(1000);
    expect(await answer).toBe('joe');
    late.reject(new Error('too late to matter'));
    await settle();
  });
});
