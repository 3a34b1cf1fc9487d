import { FakeClock, settle } from '@postern/testing';
import { expect, test } from 'vitest';
import { PeriodicCheck } from '../../../packages/users/src/files/periodic-check.ts';

const SIGNAL = new AbortController().signal;

/** A check whose runs the test ends. */
function pendingCheck() {
  const clock = new FakeClock();
  const runs: PromiseWithResolvers<void>[] = [];
  const late: number[] = [];
  const start = (): Promise<void> => {
    const run = Promise.withResolvers<void>();
    runs.push(run);
    return run.promise;
  };
  const check = new PeriodicCheck(start, () => late.push(clock.now()), clock);
  return { clock, runs, late, check };
}

/** Returns a function that reports whether the promise has resolved. */
function observe(promise: Promise<void>): () => boolean {
  let isResolved = false;
  void promise.then(() => {
    isResolved = true;
  });
  return () => isResolved;
}

test('is due a second after its creation and after each end', async () => {
  const { clock, runs, check } = pendingCheck();
  await clock.advance(999);
  expect(check.isDone).toBe(true);
  await clock.advance(1);
  expect(check.isDone).toBe(false);
  const waiting = check.wait(SIGNAL);
  await clock.advance(500);
  runs[0]?.resolve();
  await waiting;
  await clock.advance(999);
  expect(check.isDone).toBe(true);
  await clock.advance(1);
  expect(check.isDone).toBe(false);
  expect(clock.pending).toBe(0);
});

test('look-ups share one run', async () => {
  const { clock, runs, check } = pendingCheck();
  await clock.advance(1_000);
  const resolved = [observe(check.wait(SIGNAL)), observe(check.wait(SIGNAL))];
  await settle();
  expect(resolved.map((isResolved) => isResolved())).toEqual([false, false]);
  expect(runs).toHaveLength(1);
  runs[0]?.resolve();
  await settle();
  expect(resolved.map((isResolved) => isResolved())).toEqual([true, true]);
});

test('a run that hangs keeps look-ups for a second in all, and no second run starts', async () => {
  const { clock, runs, late, check } = pendingCheck();
  await clock.advance(1_000);
  const first = observe(check.wait(SIGNAL));
  await clock.advance(600);
  const second = observe(check.wait(SIGNAL));
  await clock.advance(399);
  expect([first(), second(), check.isDone]).toEqual([false, false, false]);
  await clock.advance(1);
  expect([first(), second(), check.isDone]).toEqual([true, true, true]);
  await clock.advance(60_000);
  expect(check.isDone).toBe(true);
  expect(runs).toHaveLength(1);
  expect(late).toEqual([2_000]);
  runs[0]?.resolve();
  await settle();
  await clock.advance(1_000);
  expect(check.isDone).toBe(false);
});

test('an aborted look-up does not wait', async () => {
  const { clock, runs, late, check } = pendingCheck();
  await clock.advance(1_000);
  await check.wait(AbortSignal.abort());
  runs[0]?.resolve();
  await settle();
  expect(clock.pending).toBe(0);
  expect(late).toEqual([]);
});
