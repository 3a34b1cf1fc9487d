import fc from 'fast-check';
import { expect, it } from 'vitest';
import { sortInTurns } from '../../packages/maildir/src/mailbox/sort-in-turns.ts';
import { Turns } from '../../packages/maildir/src/mailbox/turns.ts';

it('sorts as Array.prototype.sort does, and keeps the order of equals', async () => {
  const length = fc.constantFrom(0, 1, 5, 1_023, 1_024, 1_025, 2_048, 2_049, 5_000);
  await fc.assert(
    fc.asyncProperty(length, fc.integer({ min: 1, max: 10_000 }), fc.nat(), async (count, range, seed) => {
      const items = Array.from({ length: count }, (_, index) => ({ key: (index * 7_919 + seed) % range, index }));
      const compare = (one: { key: number }, other: { key: number }): number => one.key - other.key;
      expect(await sortInTurns(items, compare, new Turns())).toEqual([...items].sort(compare));
    }),
    { numRuns: 40 },
  );
});

it('ends its turn whenever the turn is over', async () => {
  const items = Array.from({ length: 5_000 }, (_, index) => -index);
  let ended = 0;
  const turns: Pick<Turns, keyof Turns> = {
    isOver: true,
    next: async () => {
      ended += 1;
    },
  };
  const sorted = await sortInTurns(items, (one, other) => one - other, turns as Turns);
  expect(sorted[0]).toBe(-4_999);
  expect(ended).toBeGreaterThan(20);
});
