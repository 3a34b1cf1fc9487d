import { InMemoryFailureCounts } from '@postern/cred';
import { FakeClock } from '@postern/testing';
import { describe, expect, it } from 'vitest';

describe('failure counts in memory', () => {
  it('count, forget on demand, and forget after the window', async () => {
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

  it('keep a bounded number of keys', () => {
    const counts = new InMemoryFailureCounts({ maximumKeys: 100 });
    for (let n = 0; n < 10_000; n += 1) counts.add(`key ${n}`, 1000);
    expect(counts.size).toBe(100);
    expect(counts.get('key 9999')).toBe(1);
  });

  it('are not washed away by a flood of new keys', () => {
    const counts = new InMemoryFailureCounts({ maximumKeys: 100 });
    for (let n = 0; n < 5; n += 1) counts.add('victim', 1000);
    for (let n = 0; n < 10_000; n += 1) counts.add(`flood ${n}`, 1000);
    expect(counts.get('victim')).toBe(5);
  });

  it('make room of one of the sixteen oldest, however many there are', () => {
    const counts = new InMemoryFailureCounts({ maximumKeys: 17 });
    for (let n = 0; n < 17; n += 1) {
      counts.add(`key ${n}`, 1000);
      if (n < 16) counts.add(`key ${n}`, 1000);
    }
    counts.add('new', 1000);
    expect([counts.get('key 0'), counts.get('key 1'), counts.get('key 16'), counts.get('new')]).toEqual([0, 2, 1, 1]);
  });

  it('make room of what has passed first', async () => {
    const clock = new FakeClock();
    const counts = new InMemoryFailureCounts({ clock, maximumKeys: 2 });
    for (let n = 0; n < 5; n += 1) counts.add('passed', 1000);
    counts.add('young', 5000);
    await clock.advance(1000);
    counts.add('new', 5000);
    expect([counts.get('passed'), counts.get('young'), counts.get('new')]).toEqual([0, 1, 1]);
  });
});
