import { afterExactly, systemClock } from '@postern/core';
import { FakeClock } from '@postern/testing';
import { describe, expect, it } from 'vitest';

describe('systemClock', () => {
  it.each([
    [undefined, false],
    [false, false],
    [true, true],
  ])('starts a timer with keepsAlive %s that keeps the process alive: %s', (keepsAlive, keeps) => {
    using timer = systemClock.after(60_000, () => {}, keepsAlive);
    expect((timer as NodeJS.Timeout).hasRef()).toBe(keeps);
  });

  it('never goes backwards', () => {
    const earlier = systemClock.now();
    expect(systemClock.now()).toBeGreaterThanOrEqual(earlier);
  });
});

describe('afterExactly', () => {
  it('never calls back early, wherever in a millisecond the work before it ends', async () => {
    const early = await Promise.all(
      Array.from({ length: 40 }, async (_, n) => {
        await new Promise<void>((resolve) => setTimeout(resolve, n * 3));
        const start = performance.now();
        const { promise, resolve } = Promise.withResolvers<void>();
        systemClock.afterExactly?.(5, resolve);
        while (performance.now() < start + n / 40);
        await promise;
        return Math.min(0, performance.now() - start - 5);
      }),
    );
    expect(early).toEqual(Array<number>(40).fill(0));
  });

  it('uses `after` of a clock without exact timers', async () => {
    const clock = new FakeClock();
    let time: number | undefined;
    afterExactly(clock, 7, () => {
      time = clock.now();
    });
    await clock.advance(20);
    expect(time).toBe(7);
  });
});
