import { afterExactly, systemClock } from '@postern/core';
import { FakeClock } from '@postern/testing';
import { describe, expect, it } from 'vitest';

describe("the machine's clock", () => {
  it.each([
    [undefined, false],
    [false, false],
    [true, true],
  ])('has timers that keep the process alive only if told to: %s', (keepsAlive, keeps) => {
    using timer = systemClock.after(60_000, () => {}, keepsAlive);
    expect((timer as NodeJS.Timeout).hasRef()).toBe(keeps);
  });

  it('never goes backwards', () => {
    const earlier = systemClock.now();
    expect(systemClock.now()).toBeGreaterThanOrEqual(earlier);
  });
});

describe('an exact timer', () => {
  it('never calls back before its time, wherever in a millisecond the work before it ends', async () => {
    const early = await Promise.all(
      Array.from({ length: 40 }, async (_, at) => {
        await new Promise<void>((resolve) => setTimeout(resolve, at * 3));
        const start = performance.now();
        const { promise, resolve } = Promise.withResolvers<void>();
        systemClock.afterExactly?.(5, resolve);
        while (performance.now() < start + at / 40);
        await promise;
        return Math.min(0, performance.now() - start - 5);
      }),
    );
    expect(early).toEqual(Array<number>(40).fill(0));
  });

  it('does not call back once it is disposed of', async () => {
    let calls = 0;
    for (const milliseconds of [0, 1, 3]) {
      const timer = afterExactly(systemClock, milliseconds, () => calls++);
      timer[Symbol.dispose]();
    }
    const turning = afterExactly(systemClock, 3, () => calls++);
    afterExactly(systemClock, 2, () => turning[Symbol.dispose]());
    await new Promise<void>((resolve) => afterExactly(systemClock, 6, resolve));
    expect(calls).toBe(0);
  });

  it('is a timer of the clock where the clock has no exact ones', async () => {
    const clock = new FakeClock();
    let at: number | undefined;
    afterExactly(clock, 7, () => {
      at = clock.now();
    });
    await clock.advance(20);
    expect(at).toBe(7);
  });
});
