import { type Ask, AvatarRealm, type Checker, Portal, UnauthorizedLogin } from '@postern/cred';
import {
  authenticate,
  ChallengePacer,
  type ScramCredentials,
  ScramSecret,
  ScramSha256Credentials,
  scram,
} from '@postern/sasl';
import { FakeClock, settle, testMind } from '@postern/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

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
    [0, 0, 10],
    [0, 3, 10],
    [0, 10, 10],
    [0, 11, 20],
    [0, 35, 40],
    [1, 1, 15],
    [4.9, 14, 15],
    [4.9, 15.1, 25],
    [5, 5, 15],
  ])('releases a challenge for a message of %d ms, ready at %d ms, at %d ms', async (arrival, ready, released) => {
    const clock = new FakeClock();
    const pacer = new ChallengePacer(10, clock);
    await clock.advance(ready);
    const record = timeOf(clock, pacer.next(arrival));
    await clock.advance(50);
    expect(record.at).toBe(released);
    expect(clock.pending).toBe(0);
  });

  it('needs one timer for the challenges of one tick', async () => {
    const clock = new FakeClock();
    const pacer = new ChallengePacer(10, clock);
    const records = [0.1, 1, 2, 3].map((arrival) => timeOf(clock, pacer.next(arrival)));
    expect(clock.pending).toBe(1);
    await clock.advance(20);
    expect(records).toEqual([{ at: 15 }, { at: 15 }, { at: 15 }, { at: 15 }]);
  });

  it('releases in the order of the messages, and not in that of the look-ups', async () => {
    const clock = new FakeClock();
    const pacer = new ChallengePacer(10, clock);
    const released: number[] = [];
    for (const arrival of [3, 1, 2]) void pacer.next(arrival).then(() => released.push(arrival));
    await clock.advance(20);
    expect(released).toEqual([1, 2, 3]);
  });

  it('lets the arrival of a message alone decide on its tick, for look-ups within the interval', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.double({ min: 0.01, max: 1000, noNaN: true }),
        fc.double({ min: 0, max: 1e6, noNaN: true }),
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 5 }),
        async (interval, arrival, shares) => {
          const times = new Set<number | undefined>();
          for (const share of shares) {
            const clock = new FakeClock();
            const pacer = new ChallengePacer(interval, clock);
            await clock.advance(arrival + share * interval);
            const record = timeOf(clock, pacer.next(arrival));
            await clock.advance(3 * interval);
            times.add(record.at);
          }
          expect(times.size).toBe(1);
          const [time = 0] = times;
          expect(time).toBeGreaterThanOrEqual((arrival + interval) * (1 - 1e-9));
          expect(time).toBeLessThanOrEqual((arrival + 1.5 * interval) * (1 + 1e-9));
        },
      ),
    );
  });

  it('releases at once with an interval of 0', async () => {
    const clock = new FakeClock();
    await new ChallengePacer(0, clock).next(0);
    expect(clock.pending).toBe(0);
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
