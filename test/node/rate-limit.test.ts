import { FakeClock } from '@postern/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RateLimit } from '../../packages/node/src/rate-limit.ts';

describe('RateLimit', () => {
  it('gives a key a minute’s tokens at once, and then as many a minute', async () => {
    const { limit, clock } = limitOf(60);
    expect(taken(limit, 'a', 100)).toBe(60);
    await clock.advance(999);
    expect(limit.take('a')).toBe(false);
    await clock.advance(1);
    expect(taken(limit, 'a', 100)).toBe(1);
    await clock.advance(30_000);
    expect(taken(limit, 'a', 100)).toBe(30);
    await clock.advance(3_600_000);
    expect(taken(limit, 'a', 100)).toBe(60);
  });

  it('counts each key separately', () => {
    const { limit } = limitOf(2);
    expect(taken(limit, 'a', 3)).toBe(2);
    expect(taken(limit, 'b', 3)).toBe(2);
  });

  it('charges a key that has no tokens, for at most a minute more', async () => {
    const { limit, clock } = limitOf(60);
    for (let times = 0; times < 1000; times++) limit.charge('a');
    await clock.advance(60_999);
    expect(limit.take('a')).toBe(false);
    await clock.advance(1);
    expect(limit.take('a')).toBe(true);
  });

  it.each([
    [0, 0],
    [1, 1],
    [Number.POSITIVE_INFINITY, 500],
  ])('of %d a minute lets %d of 500 pass', (perMinute, passed) => {
    expect(taken(limitOf(perMinute).limit, 'a', 500)).toBe(passed);
  });

  it('never gives a key more than two minutes’ tokens in a minute, for any use of other keys', async () => {
    const step = fc.record({ key: fc.constantFrom('a', 'b', 'c'), wait: fc.nat(20_000) });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const { limit, clock } = limitOf(5);
        const times: Record<string, number[]> = { a: [], b: [], c: [] };
        for (const { key, wait } of steps) {
          await clock.advance(wait);
          if (limit.take(key)) times[key]?.push(clock.now());
        }
        for (const all of Object.values(times)) {
          for (const begin of all) {
            expect(all.filter((time) => time >= begin && time < begin + 60_000).length).toBeLessThanOrEqual(10);
          }
        }
      }),
    );
  });

  it('forgets no key, after any number of other keys', () => {
    const { limit } = limitOf(10);
    expect(taken(limit, 'guesser', 20)).toBe(10);
    for (let n = 0; n < 100_000; n++) limit.take(`2001:db8:0:${n.toString(16)}::/64`);
    expect(limit.take('guesser')).toBe(false);
  });

  it('refuses few keys that took nothing, while 1,000 others have no tokens', () => {
    const { limit } = limitOf(5);
    for (let n = 0; n < 1000; n++) taken(limit, `192.0.2.${n}`, 6);
    const refused = Array.from({ length: 1000 }, (_, n) => limit.take(`198.51.100.${n}`)).filter((taken) => !taken);
    expect(refused.length).toBeLessThan(10);
  });
});

function limitOf(perMinute: number): { readonly limit: RateLimit; readonly clock: FakeClock } {
  const clock = new FakeClock();
  return { limit: new RateLimit(perMinute, { clock, secret: Buffer.from('a secret') }), clock };
}

/** Returns the number of tokens that the key gets in this number of requests. */
function taken(limit: RateLimit, key: string, times: number): number {
  return Array.from({ length: times }, () => limit.take(key)).filter((taken) => taken).length;
}
