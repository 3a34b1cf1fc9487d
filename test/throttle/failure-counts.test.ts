import { FakeClock } from '@postern/testing';
import { InMemoryFailureCounts } from '@postern/throttle';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

describe('InMemoryFailureCounts', () => {
  it('counts, resets, and forgets after the window', async () => {
    const clock = new FakeClock();
    const counts = new InMemoryFailureCounts({ clock });
    expect(counts.get('a')).toBe(0);
    counts.add('a', 1000);
    await clock.advance(999);
    counts.add('a', 1000);
    counts.add('b', 1000);
    expect([counts.get('a'), counts.get('b')]).toEqual([2, 1]);
    await clock.advance(1);
    expect([counts.get('a'), counts.get('b')]).toEqual([0, 1]);
    counts.reset('b');
    expect(counts.get('b')).toBe(0);
    counts.add('a', 1000);
    expect(counts.get('a')).toBe(1);
  });

  it('keeps a bounded number of keys', () => {
    const counts = new InMemoryFailureCounts({ maximumKeys: 100 });
    for (let n = 0; n < 10_000; n += 1) counts.add(`key ${n}`, 1000);
    expect(counts.size).toBe(100);
    expect(counts.get('key 9999')).toBe(1);
  });

  it('keeps its counts in a flood of new keys', () => {
    const counts = new InMemoryFailureCounts({ maximumKeys: 100 });
    for (let n = 0; n < 5; n += 1) counts.add('victim', 1000);
    for (let n = 0; n < 10_000; n += 1) counts.add(`flood ${n}`, 1000);
    expect(counts.get('victim')).toBe(5);
  });

  it('keeps its counts in a flood of keys with as many failures or more', () => {
    const counts = new InMemoryFailureCounts({ maximumKeys: 100 });
    const fail = (key: string, times: number) => {
      for (let n = 0; n < times; n += 1) counts.add(key, 1000);
    };
    for (let n = 0; n < 50; n += 1) fail(`heavy ${n}`, 100);
    fail('victim', 8);
    for (let n = 50; n < 80; n += 1) fail(`heavy ${n}`, 100);
    for (let n = 0; n < 10_000; n += 1) fail(`flood ${n}`, 1);
    for (let n = 0; n < 1_000; n += 1) fail(`flood again ${n}`, 7);
    expect([counts.get('victim'), counts.get('heavy 0'), counts.size]).toEqual([8, 100, 100]);
  });

  it('drops the oldest of the keys with the fewest failures', () => {
    const counts = new InMemoryFailureCounts({ maximumKeys: 3 });
    for (const key of ['a', 'b', 'a', 'c', 'd']) counts.add(key, 1000);
    expect(['a', 'b', 'c', 'd'].map((key) => counts.get(key))).toEqual([2, 0, 1, 1]);
  });

  it('agrees with a model while the table is not full', () => {
    const key = fc.constantFrom('a', 'b', 'c');
    const step = fc.oneof(
      fc.record({ add: key, window: fc.integer({ min: 1, max: 50 }) }),
      fc.record({ reset: key }),
      fc.record({ wait: fc.integer({ min: 0, max: 30 }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        let now = 0;
        const clock = { now: () => now, after: () => ({ [Symbol.dispose]() {} }) };
        const counts = new InMemoryFailureCounts({ clock, maximumKeys: 3 });
        const model = new Map<string, { failures: number; until: number }>();
        for (const step of steps) {
          if ('wait' in step) now += step.wait;
          else if ('reset' in step) {
            counts.reset(step.reset);
            model.delete(step.reset);
          } else {
            counts.add(step.add, step.window);
            const known = model.get(step.add);
            if (known !== undefined && known.until > now) known.failures += 1;
            else model.set(step.add, { failures: 1, until: now + step.window });
          }
          for (const name of ['a', 'b', 'c']) {
            const known = model.get(name);
            expect(counts.get(name)).toBe(known !== undefined && known.until > now ? known.failures : 0);
          }
        }
      }),
    );
  });

  it('drops an expired key first', async () => {
    const clock = new FakeClock();
    const counts = new InMemoryFailureCounts({ clock, maximumKeys: 2 });
    for (let n = 0; n < 5; n += 1) counts.add('passed', 1000);
    counts.add('young', 5000);
    await clock.advance(1000);
    counts.add('new', 5000);
    expect([counts.get('passed'), counts.get('young'), counts.get('new')]).toEqual([0, 1, 1]);
  });
});
