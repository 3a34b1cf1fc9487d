import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatSpread, ratio, ratios, spread, verdict, verdictAtMost } from '../../bench/statistics.ts';
import { table } from '../../bench/table.ts';

test('a spread has the extremes and the median of an odd and of an even count', () => {
  expect(spread([3, 1, 2])).toEqual({ min: 1, median: 2, max: 3 });
  expect(spread([4, 1, 3, 2])).toEqual({ min: 1, median: 2.5, max: 4 });
});

test('a spread does not depend on the order, and its median is between the extremes', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 1e9, noNaN: true }), { minLength: 1 }), (numbers) => {
      const { min, median, max } = spread(numbers);
      expect(spread(numbers.toReversed())).toEqual({ min, median, max });
      expect(min).toBeLessThanOrEqual(median);
      expect(median).toBeLessThanOrEqual(max);
      expect(numbers).toContain(min);
      expect(numbers).toContain(max);
    }),
  );
});

test('ratios are taken round by round, and a missing number leaves its round out', () => {
  expect(ratios([1, 2, undefined, 4], [2, undefined, 3, 8])).toEqual([0.5, 0.5]);
  expect(ratios([1, 2], [2])).toEqual([0.5]);
});

test('a spread is printed as the median, then the extremes', () => {
  expect(formatSpread(spread([1, 2.25, 3]), 1)).toBe('2.3 (1.0–3.0)');
  expect(ratio(spread([0.6, 0.621, 0.7]))).toBe('0.62 (0.60–0.70)');
  expect(formatSpread(spread([]), 1)).toBe('–');
});

test('a verdict compares the median with the asked ratio', () => {
  expect(verdict(spread([1, 1.5, 2]), 1.5)).toBe('✓ 1.50');
  expect(verdict(spread([1, 1.49, 2]), 1.5)).toBe('✗ 1.50');
  expect(verdict(spread([1]), undefined)).toBe('–');
  expect(verdictAtMost(spread([0.5, 0.62, 2]), 0.62)).toBe('✓ ≤ 0.62');
  expect(verdictAtMost(spread([0.5, 0.63, 2]), 0.62)).toBe('✗ ≤ 0.62');
  expect(verdictAtMost(spread([56]), 55, 0)).toBe('✗ ≤ 55');
  expect(verdictAtMost(spread([1]), undefined)).toBe('–');
});

test('a ratio without a number reaches nothing', () => {
  expect(verdict(spread([]), 1.5)).toBe('✗ 1.50');
  expect(verdictAtMost(spread([]), 0.62)).toBe('✗ ≤ 0.62');
});

test('a table aligns the first column to the left and the others to the right', () => {
  expect(
    table(
      ['work', 'µs', 'asked'],
      [
        ['a', '1.25', '–'],
        ['longer', '100', '✓ ≤ 2'],
      ],
    ),
  ).toBe(['work      µs  asked', '------  ----  -----', 'a       1.25      –', 'longer   100  ✓ ≤ 2'].join('\n'));
});
