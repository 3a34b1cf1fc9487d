import { ExpiringMap } from '@postern/core';
import { expect, test } from 'vitest';

test('an entry is found until its expiry', () => {
  let now = 1000;
  const map = new ExpiringMap<string, number>(10, () => now);
  map.set('joe', 1, 1500);
  now = 1499;
  expect(map.get('joe')).toBe(1);
  now = 1500;
  expect(map.get('joe')).toBeUndefined();
});

test('the entry that was set first makes room, also if it has not expired', () => {
  const map = new ExpiringMap<string, number>(2, () => 0);
  map.set('ann', 1, 100);
  map.set('joe', 2, 100);
  map.set('ann', 3, 100);
  map.set('eve', 4, 100);
  expect(['ann', 'joe', 'eve'].map((key) => map.get(key))).toEqual([3, undefined, 4]);
});

test('an expired entry makes room before one that has not expired', () => {
  let now = 0;
  const map = new ExpiringMap<string, number>(2, () => now);
  map.set('ann', 1, 10);
  map.set('joe', 2, 100);
  now = 10;
  map.set('eve', 3, 100);
  expect(['ann', 'joe', 'eve'].map((key) => map.get(key))).toEqual([undefined, 2, 3]);
});
