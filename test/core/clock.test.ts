import { systemClock } from '@postern/core';
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
