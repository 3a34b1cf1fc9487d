import { Closing, Deadlines, TimedOut } from '@postern/conversation';
import { FakeClock } from '@postern/testing';
import { describe, expect, it } from 'vitest';

describe('Deadlines', () => {
  it('end a wait at most one granule late', async () => {
    const clock = new FakeClock();
    const deadlines = new Deadlines(clock, 1_000);
    const outcome = outcomeOf(deadlines.wait(1_500).result);
    await clock.advance(1_500);
    expect(outcome.value).toBeUndefined();
    await clock.advance(500);
    expect(outcome.value).toBeInstanceOf(TimedOut);
  });

  it('run one timer for all waits, and none without a wait', async () => {
    const clock = new FakeClock();
    const deadlines = new Deadlines(clock, 1_000);
    expect(clock.pending).toBe(0);
    const waits = [deadlines.wait(10_000), deadlines.wait(20_000), deadlines.wait(30_000)];
    expect(clock.pending).toBe(1);
    await clock.advance(5_000);
    expect(clock.pending).toBe(1);
    for (const wait of waits) wait.resolve();
    await clock.advance(1_000);
    expect(clock.pending).toBe(0);
    await Promise.all(waits.map(({ result }) => result));
  });

  it('end only the waits of the signal that aborts', async () => {
    const clock = new FakeClock();
    const deadlines = new Deadlines(clock);
    const closing = new AbortController();
    const interruptible = outcomeOf(deadlines.wait(10_000, closing.signal).result);
    const other = outcomeOf(deadlines.wait(10_000).result);
    const elsewhere = outcomeOf(deadlines.wait(10_000, new AbortController().signal).result);
    closing.abort();
    await clock.advance(0);
    expect(interruptible.value).toBeInstanceOf(Closing);
    expect(other.value).toBeUndefined();
    expect(elsewhere.value).toBeUndefined();
  });

  it('add one listener to a signal with many waits', () => {
    const deadlines = new Deadlines(new FakeClock());
    const closing = new AbortController();
    let listeners = 0;
    const listen = closing.signal.addEventListener.bind(closing.signal);
    closing.signal.addEventListener = (...parameters: Parameters<typeof listen>) => {
      listeners++;
      listen(...parameters);
    };
    for (let i = 0; i < 10; i++) deadlines.wait(1_000, closing.signal).resolve();
    expect(listeners).toBe(1);
  });

  it('limit work to its time', async () => {
    const clock = new FakeClock();
    const deadlines = new Deadlines(clock);
    expect(await deadlines.within(1_000, Promise.resolve('done'))).toBe('done');
    await expect(deadlines.within(1_000, Promise.reject(new RangeError('failed')))).rejects.toThrow(RangeError);

    const late = Promise.withResolvers<string>();
    const outcome = outcomeOf(deadlines.within(1_000, late.promise));
    await clock.advance(1_000);
    expect(outcome.value).toBeInstanceOf(TimedOut);
    late.reject(new Error('nobody listens any more, and nobody minds'));
    await clock.advance(1_000);
    expect(clock.pending).toBe(0);
  });
});

/** Returns the outcome of a promise, once it is settled. */
function outcomeOf(promise: Promise<unknown>): { value: unknown } {
  const outcome: { value: unknown } = { value: undefined };
  promise.then(
    (value) => {
      outcome.value = value ?? 'resolved';
    },
    (error: unknown) => {
      outcome.value = error;
    },
  );
  return outcome;
}
