import { TemporaryFailure } from '@postern/cred';
import { FakeClock } from '@postern/testing';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ResourceQueue } from '../../../packages/users/src/hashing/resource-queue.ts';

type Place = 'pool' | 'thread';

/** A queue of 100 octets, two slots of the pool and one thread, whose tasks the test ends. */
function setUp(limits: { maxWaiting?: number; timeout?: number } = {}) {
  const clock = new FakeClock();
  const slots = { pool: 2, thread: 1 };
  const queue = new ResourceQueue({ memory: 100, slots, maxWaiting: 10, timeout: 1_000, clock, ...limits });
  const running = new Map<string, PromiseWithResolvers<string>>();
  const outcomes: string[] = [];
  const add = (name: string, place: Place, memory: number, signal?: AbortSignal): void => {
    const task = (): Promise<string> => {
      const end = Promise.withResolvers<string>();
      running.set(name, end);
      return end.promise;
    };
    queue.run({ place, memory }, task, signal).then(
      () => outcomes.push(name),
      (error: unknown) =>
        outcomes.push(`${name}: ${error instanceof TemporaryFailure ? error.message : String(error)}`),
    );
  };
  /** Ends the task, and returns the names of the tasks that run then. */
  const end = async (name: string): Promise<string[]> => {
    running.get(name)?.resolve(name);
    running.delete(name);
    await clock.advance(0);
    return [...running.keys()];
  };
  return { clock, queue, running, outcomes, add, end };
}

test('tasks begin in the order of their arrival when slots are free', async () => {
  const { running, add, end } = setUp();
  for (const name of ['a', 'b', 'c', 'd']) add(name, 'pool', 1);
  expect([...running.keys()]).toEqual(['a', 'b']);
  expect(await end('b')).toEqual(['a', 'c']);
  expect(await end('a')).toEqual(['c', 'd']);
});

test('a task for a full place does not delay tasks for another place', () => {
  const { running, add } = setUp();
  for (const name of ['a', 'b', 'c']) add(name, 'pool', 10);
  add('t', 'thread', 10);
  expect([...running.keys()]).toEqual(['a', 'b', 't']);
});

test('a task that needs all memory runs alone, and small tasks behind it do not overtake it', async () => {
  const { add, end } = setUp();
  add('small', 'pool', 30);
  add('big', 'pool', 100);
  add('later', 'pool', 30);
  add('thread with memory', 'thread', 1);
  expect(await end('')).toEqual(['small']);
  expect(await end('small')).toEqual(['big']);
  expect(await end('big')).toEqual(['later', 'thread with memory']);
});

test('a task without memory passes a task that waits for memory at another place', async () => {
  const { add, end } = setUp();
  add('small', 'pool', 30);
  add('big', 'pool', 100);
  add('free', 'thread', 0);
  expect(await end('')).toEqual(['small', 'free']);
  expect(await end('small')).toEqual(['free', 'big']);
});

test('a task that needs more memory than there is names both amounts', async () => {
  const { outcomes, add, end } = setUp();
  add('huge', 'pool', 2 ** 30);
  await end('');
  expect(outcomes).toEqual([
    'huge: a stored hash needs 1024 MiB, and the option `memory` permits 1 MiB for all hashes',
  ]);
});

test('a task beyond the waiting tasks is refused, and one that need not wait is not', async () => {
  const { outcomes, add, end } = setUp({ maxWaiting: 1 });
  for (const name of ['a', 'b', 'waiting', 'refused']) add(name, 'pool', 1);
  add('t', 'thread', 1);
  expect(await end('')).toEqual(['a', 'b', 't']);
  expect(outcomes).toEqual(['refused: 1 hashes are waiting already']);
});

test('a waiting task is refused after the timeout, and a task that has begun is not', async () => {
  const { clock, outcomes, add } = setUp();
  for (const name of ['a', 'b', 'c']) add(name, 'pool', 1);
  await clock.advance(999);
  expect(outcomes).toEqual([]);
  await clock.advance(1);
  expect(outcomes).toEqual(['c: the hash has not begun within 1000 ms']);
  await clock.advance(10_000);
  expect(outcomes).toHaveLength(1);
  expect(clock.pending).toBe(0);
});

test('the tasks behind a task that leaves get their turn', async () => {
  const { add, end } = setUp();
  const leaving = new AbortController();
  add('small', 'pool', 30);
  add('big', 'pool', 100, leaving.signal);
  add('later', 'pool', 30);
  expect(await end('')).toEqual(['small']);
  leaving.abort();
  expect(await end('')).toEqual(['small', 'later']);
});

test('a signal rejects with its reason as the cause, and a task that has begun keeps its resources and its result', async () => {
  const { queue, add, end } = setUp();
  const gone = new AbortController();
  const task = Promise.withResolvers<string>();
  const result = queue.run({ place: 'pool', memory: 100 }, () => task.promise, gone.signal);
  const waiting = queue.run({ place: 'pool', memory: 100 }, () => expect.fail('the task ran'), gone.signal);
  gone.abort('the client disconnected');
  await expect(waiting).rejects.toMatchObject({ code: 'temporary', cause: 'the client disconnected' });
  add('next', 'pool', 1);
  expect(await end('')).toEqual([]);
  task.resolve('the result');
  expect(await end('')).toEqual(['next']);
  expect(await result).toBe('the result');
  const late = queue.run({ place: 'here', memory: 0 }, () => expect.fail('the task ran'), gone.signal);
  await expect(late).rejects.toThrow(TemporaryFailure);
});

test('a task that throws frees its resources and rejects with its error', async () => {
  const { queue, outcomes, add, end } = setUp();
  const wrong = new Error('wrong');
  const fail = (): never => {
    throw wrong;
  };
  await expect(queue.run({ place: 'pool', memory: 100 }, fail)).rejects.toBe(wrong);
  add('next', 'pool', 100);
  expect(await end('next')).toEqual([]);
  expect(outcomes).toEqual(['next']);
});

test('a closed queue refuses waiting and later tasks, and lets the others end', async () => {
  const { clock, queue, outcomes, add, end } = setUp();
  add('a', 'pool', 30);
  add('b', 'pool', 100);
  add('c', 'pool', 30);
  queue.close();
  add('d', 'thread', 1);
  expect(await end('')).toEqual(['a']);
  expect(await end('a')).toEqual([]);
  const closed = (name: string): string => `${name}: the hash queue is closed`;
  expect(outcomes.toSorted()).toEqual(['a', closed('b'), closed('c'), closed('d')]);
  expect(clock.pending).toBe(0);
});

test('property: within the limits, each task settles once, also those that are aborted', async () => {
  const task = fc.record({
    place: fc.constantFrom('pool', 'thread', 'here') as fc.Arbitrary<Place | 'here'>,
    memory: fc.oneof(fc.constantFrom(0, 100, 101), fc.nat(60)),
    abort: fc.constantFrom('never', 'never', 'before', 'later'),
    fails: fc.boolean(),
  });
  const steps = fc.array(fc.oneof({ weight: 3, arbitrary: task }, fc.constant('end'), fc.constant('advance')), {
    maxLength: 60,
  });
  await fc.assert(
    fc.asyncProperty(steps, fc.infiniteStream(fc.nat()), async (steps, choices) => {
      const clock = new FakeClock();
      const limits = { memory: 100, slots: { pool: 2, thread: 1 }, maxWaiting: 8, timeout: 100, clock };
      const queue = new ResourceQueue(limits);
      const running: { place: string; memory: number; end: () => void }[] = [];
      const settled: number[] = [];
      const aborts: AbortController[] = [];
      const choose = (count: number): number => (choices.next().value ?? 0) % count;
      const check = (): void => {
        const count = (place: string): number => running.filter((task) => task.place === place).length;
        expect(count('pool')).toBeLessThanOrEqual(2);
        expect(count('thread')).toBeLessThanOrEqual(1);
        const memory = running.reduce((sum, task) => sum + (task.place === 'here' ? 0 : task.memory), 0);
        expect(memory).toBeLessThanOrEqual(100);
      };
      const endOne = (): void => running.splice(choose(running.length || 1), 1)[0]?.end();
      let added = 0;
      for (const step of steps) {
        if (step === 'advance') {
          await clock.advance(50);
          aborts.shift()?.abort();
        } else if (step === 'end') {
          endOne();
          await clock.advance(0);
        } else {
          const id = added++;
          const { place, memory, fails } = step;
          const controller = new AbortController();
          if (step.abort === 'before') controller.abort();
          if (step.abort === 'later') aborts.push(controller);
          const begin = (): Promise<void> =>
            new Promise((resolve, reject) => {
              running.push({ place, memory, end: () => (fails ? reject(new Error('failed')) : resolve()) });
              check();
            });
          const settle = (): void => void settled.push(id);
          queue.run({ place, memory }, begin, controller.signal).then(settle, settle);
        }
        check();
      }
      await clock.advance(0);
      while (running.length > 0) {
        endOne();
        await clock.advance(0);
        check();
      }
      expect(settled.toSorted((a, b) => a - b)).toEqual(Array.from({ length: added }, (_, id) => id));
      expect(clock.pending).toBe(0);
    }),
  );
});
