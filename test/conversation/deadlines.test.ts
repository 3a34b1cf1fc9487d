import { Closing, Deadlines, TimedOut } from '@postern/conversation';
import { FakeClock } from '@postern/testing';
import { describe, expect, it } from 'vitest';

describe('Deadlines', () => {
  it('let a wait expire, up to a granule late', async () => {
    const clock = new FakeClock();
    const deadlines = new Deadlines(clock, 1_000);
    const outcome = outcomeOf(deadlines.wait(1_500).result);
    await clock.advance(1_500);
    expect(outcome.value).toBeUndefined();
    await clock.advance(500);
    expect(outcome.value).toBeInstanceOf(TimedOut);
  });

  it('keep one timer for all, and only while somebody waits', async () => {
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

  it('end the waits that are for a server that closes, and no others', async () => {
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

  it('listen once to a signal, however many wait for it', () => {
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

  it('give work so much time and no more', async () => {
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

/** What a promise comes to, once it has. */
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
