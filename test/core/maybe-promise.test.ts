import { isPromise, after as onceKnown, orAborted, settled, toPromise } from '@postern/core';
import { describe, expect, test } from 'vitest';

describe('isPromise', () => {
  test.each([[Promise.resolve(1)], [withThen(() => {})]])('is true for %o', (value) => {
    expect(isPromise(value as Promise<unknown>)).toBe(true);
  });

  test.each([[undefined], [null], [0], ['then'], [{}], [withThen(true)]])('is false for %j', (value) => {
    expect(isPromise(value)).toBe(false);
  });
});

describe('after', () => {
  test('calls next synchronously with a value, and later with that of a promise', async () => {
    expect(onceKnown(1, (value) => value + 1)).toBe(2);
    await expect(onceKnown(Promise.resolve(1), (value) => value + 1)).resolves.toBe(2);
  });

  test('throws what next throws, and rejects with it after a promise', async () => {
    const fail = (): never => {
      throw new Error('next failed');
    };
    expect(() => onceKnown(1, fail)).toThrow('next failed');
    await expect(onceKnown(Promise.resolve(1), fail)).rejects.toThrow('next failed');
  });
});

describe('toPromise', () => {
  test('returns a promise as it is', () => {
    const promise = Promise.resolve(1);
    expect(toPromise(promise)).toBe(promise);
  });

  test('makes a promise of an object with nothing but then, whose then returns nothing', async () => {
    const kept = withThen((resolve: (value: number) => void) => resolve(1)) as Promise<number>;
    const broken = withThen((_: unknown, reject: (error: Error) => void) => reject(new Error('x'))) as Promise<number>;
    expect(toPromise(kept)).toBeInstanceOf(Promise);
    await expect(toPromise(kept)).resolves.toBe(1);
    await expect(toPromise(broken)).rejects.toThrow('x');
    await expect(onceKnown(kept, (value) => value + 1)).resolves.toBe(2);
    const outcome = (work: Promise<number>) =>
      settled(
        () => work,
        String,
        (error) => `error ${(error as Error).message}`,
      );
    expect(await Promise.all([outcome(kept), outcome(broken)])).toEqual(['1', 'error x']);
  });
});

describe('settled', () => {
  const outcome = (work: () => number | Promise<number>): unknown =>
    settled(
      work,
      (value) => `value ${value}`,
      (error) => `error ${(error as Error).message}`,
    );

  test('is synchronous as long as the work is', () => {
    expect(outcome(() => 1)).toBe('value 1');
    expect(
      outcome(() => {
        throw new Error('x');
      }),
    ).toBe('error x');
  });

  test('is a promise if the work is one', async () => {
    const results = [outcome(async () => 1), outcome(() => Promise.reject(new Error('x')))];
    expect(results.every((result) => result instanceof Promise)).toBe(true);
    expect(await Promise.all(results)).toEqual(['value 1', 'error x']);
  });

  test('passes no error of next to onError', () => {
    const next = (): never => {
      throw new Error('next failed');
    };
    expect(() => settled(() => 1, next, String)).toThrow('next failed');
  });
});

describe('orAborted', () => {
  test('resolves when the promise does', async () => {
    const { signal } = new AbortController();
    await expect(orAborted(Promise.resolve('value'), signal)).resolves.toBeUndefined();
  });

  test('rejects with the reason of the promise', async () => {
    const { signal } = new AbortController();
    await expect(orAborted(Promise.reject(new Error('x')), signal)).rejects.toThrow('x');
  });

  test('resolves when the signal aborts, before the promise or from the start', async () => {
    const controller = new AbortController();
    const waiting = orAborted(new Promise(() => {}), controller.signal);
    controller.abort();
    await expect(waiting).resolves.toBeUndefined();
    await expect(orAborted(new Promise(() => {}), controller.signal)).resolves.toBeUndefined();
  });

  test.each(['resolve', 'reject'] as const)('removes its listener after the promise: %s', async (settle) => {
    const listeners = new Set<unknown>();
    const signal = {
      aborted: false,
      addEventListener: (_: string, listener: unknown) => void listeners.add(listener),
      removeEventListener: (_: string, listener: unknown) => void listeners.delete(listener),
    } as unknown as AbortSignal;
    const promise = Promise.withResolvers<void>();
    const waiting = orAborted(promise.promise, signal).catch(() => {});
    expect(listeners.size).toBe(1);
    promise[settle]();
    await waiting;
    expect(listeners.size).toBe(0);
  });
});

/** Returns an object with a `then`, which linters forbid as a literal. */
function withThen(then: unknown): object {
  const object = {};
  Reflect.set(object, 'then', then);
  return object;
}
