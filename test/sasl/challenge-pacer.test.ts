import { type Ask, AvatarRealm, type Checker, Portal, UnauthorizedLogin } from '@postern/cred';
import { authenticate, type ScramCredentials, ScramSecret, ScramSha256Credentials, scram } from '@postern/sasl';
import { FakeClock, settle, testMind } from '@postern/testing';
import { describe, expect, it } from 'vitest';
import { ChallengePacer } from '../../packages/sasl/src/challenge-pacer.ts';

const never = new AbortController().signal;

/** Returns a record of the time at which the promise resolves. */
function timeOf(clock: FakeClock, promise: Promise<void>): { at: number | undefined } {
  const record: { at: number | undefined } = { at: undefined };
  void promise.then(() => {
    record.at = clock.now();
  });
  return record;
}

describe('ChallengePacer', () => {
  it.each([
    [0, 10],
    [3, 10],
    [9, 10],
    [11, 20],
    [35, 40],
  ])('releases a challenge that is ready after %d ms after %d ms', async (ready, released) => {
    const clock = new FakeClock();
    using release = new ChallengePacer(clock, 10);
    await clock.advance(ready);
    const { at } = await (async () => {
      const record = timeOf(clock, release.next(never));
      await clock.advance(50);
      return record;
    })();
    expect(at).toBe(released);
    expect(clock.pending).toBe(0);
  });

  it('releases at a disconnect, and keeps no timer after its disposal', async () => {
    const clock = new FakeClock();
    const gone = new AbortController();
    const release = new ChallengePacer(clock, 10);
    const waiting = release.next(gone.signal);
    gone.abort();
    await waiting;
    release[Symbol.dispose]();
    expect(clock.pending).toBe(0);
    await release.next(never);
  });
});

describe('the first challenge of SCRAM', () => {
  class Avatar {}

  it.each(['joe', 'nobody'])('leaves for %s at the same time, however long the look-up takes', async (name) => {
    const secret = await ScramSecret.derive('s3cret', { hash: 'sha256', iterations: 4096 });
    const times: number[] = [];
    for (const lookUp of [0, 4, 8]) {
      const clock = new FakeClock();
      const store: Checker<ScramCredentials> = {
        credentialInterfaces: [ScramSha256Credentials],
        async requestAvatarId(credentials) {
          if (credentials.username !== 'joe') throw new UnauthorizedLogin();
          await new Promise<void>((resolve) => clock.after(lookUp, resolve));
          if (!(await credentials.verify(secret))) throw new UnauthorizedLogin();
          return 'joe';
        },
      };
      const asked = Promise.withResolvers<void>();
      const ask: Ask = () => {
        times.push(clock.now());
        asked.resolve();
        return Promise.reject(new Error('gone'));
      };
      const outcome = authenticate({
        challenger: scram({ hash: 'sha256' }),
        portal: new Portal(new AvatarRealm().provide(Avatar, () => new Avatar())).register(store),
        mind: testMind(),
        interfaces: [Avatar],
        initialResponse: Buffer.from(`n,,n=${name},r=client-nonce`),
        ask,
        minChallengeDelay: 10,
        clock,
      });
      const failed = expect(outcome).rejects.toThrow('gone');
      await settle();
      await clock.advance(20);
      await asked.promise;
      await failed;
      expect(clock.pending).toBe(0);
    }
    expect(times).toEqual([10, 10, 10]);
  });
});
