import { DenseSet, type Indexed } from '@postern/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

describe('DenseSet', () => {
  it('has the members of a Set after any additions and deletions', () => {
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

  it('deletes no other object for one that is not a member', () => {
    const roll = new DenseSet<Indexed>();
    const [ann, bob] = [{ index: -1 }, { index: -1 }];
    roll.add(ann);
    roll.delete(bob);
    expect(roll.members).toEqual([ann]);
    roll.delete(ann);
    roll.delete(ann);
    expect(roll.members).toEqual([]);
  });

  it('has no member twice', () => {
    const roll = new DenseSet<Indexed>();
    const ann = { index: -1 };
    roll.add(ann);
    roll.add(ann);
    expect(roll.members).toEqual([ann]);
    roll.delete(ann);
    expect(roll.members).toEqual([]);
  });
});
