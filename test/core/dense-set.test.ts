import { DenseSet, type Indexed } from '@postern/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

describe('Roll', () => {
  it('has whom a Set would have, whoever comes and goes', () => {
    const someone = fc.integer({ min: 0, max: 9 });
    fc.assert(
      fc.property(fc.array(someone), (steps) => {
        const people: readonly Indexed[] = Array.from({ length: 10 }, () => ({ index: -1 }));
        const roll = new DenseSet<Indexed>();
        const set = new Set<Indexed>();
        for (const step of steps) {
          const person = people[step] as Indexed;
          if (set.delete(person)) roll.delete(person);
          else {
            set.add(person);
            roll.add(person);
          }
          expect(new Set(roll.members)).toEqual(set);
          expect(roll.members).toHaveLength(set.size);
        }
      }),
    );
  });

  it('lets nobody else go for who is not there', () => {
    const roll = new DenseSet<Indexed>();
    const [ann, bob] = [{ index: -1 }, { index: -1 }];
    roll.add(ann);
    roll.delete(bob);
    expect(roll.members).toEqual([ann]);
    roll.delete(ann);
    roll.delete(ann);
    expect(roll.members).toEqual([]);
  });

  it('has nobody twice', () => {
    const roll = new DenseSet<Indexed>();
    const ann = { index: -1 };
    roll.add(ann);
    roll.add(ann);
    expect(roll.members).toEqual([ann]);
    roll.delete(ann);
    expect(roll.members).toEqual([]);
  });
});
