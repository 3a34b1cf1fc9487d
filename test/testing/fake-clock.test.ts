import { FakeClock } from '@postern/testing';
import { describe, expect, it } from 'vitest';

describe('FakeClock', () => {
  it('stands still until it is advanced', async () => {
    const clock = new FakeClock();
    expect(clock.now()).toBe(0);
    await clock.advance(1500);
    expect(clock.now()).toBe(1500);
  });

  it('runs timers in order, each at its time', async () => {
    const clock = new FakeClock();
    const calls: string[] = [];
    for (const due of [30, 10, 20, 10]) clock.after(due, () => calls.push(`${due} at ${clock.now()}`));
    clock.after(10, () => calls.push('the last for 10'));
    await clock.advance(20);
    expect(calls).toEqual(['10 at 10', '10 at 10', 'the last for 10', '20 at 20']);
    expect(clock.pending).toBe(1);
  });

  it('does not run a timer that is disposed of', async () => {
    const clock = new FakeClock();
    let called = false;
    const timer = clock.after(10, () => {
      called = true;
    });
    timer[Symbol.dispose]();
    await clock.advance(10);
    expect(called).toBe(false);
  });

  it('runs the work of a timer before the next timer', async () => {
    const clock = new FakeClock();
    const calls: string[] = [];
    const second = () => clock.after(5, () => calls.push(`second at ${clock.now()}`));
    clock.after(10, () => void Promise.resolve().then(second));
    clock.after(20, () => calls.push(`third at ${clock.now()}`));
    await clock.advance(20);
    expect(calls).toEqual(['second at 15', 'third at 20']);
  });
});
