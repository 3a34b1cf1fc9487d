import { TurnQueue } from '@postern/conversation';
import { settle } from '@postern/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runs } from '../support/fuzz.ts';

describe('TurnQueue', () => {
  it('ends a turn after its duration, and begins a new one', async () => {
    let now = 0;
    const turns = new TurnQueue({ now: () => now }, 2);
    now = 100;
    expect(turns.isOver).toBe(false);
    now = 101.9;
    expect(turns.isOver).toBe(false);
    now = 102;
    expect(turns.isOver).toBe(true);
    await settle();
    expect(turns.isOver).toBe(false);
  });

  it('resumes the waiters in their order, for one turn at most', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.nat(4), { minLength: 1, maxLength: 5 }), { maxLength: 20 }),
        async (jobs) => {
          let now = 0;
          let turn = 0;
          const turns = new TurnQueue({ now: () => now }, 2);
          const worked: number[] = [];
          const served: { job: number; turn: number }[] = [];
          for (const [job, pieces] of jobs.entries()) {
            const conversation = {
              left: [...pieces],
              resume() {
                const duration = this.left.shift() ?? 0;
                now += duration;
                worked[turn] = (worked[turn] ?? 0) + duration;
                served.push({ job, turn });
                if (this.left.length > 0) turns.wait(this);
              },
            };
            turns.wait(conversation);
          }
          const all = jobs.flat().length;
          while (served.length < all) {
            await settle();
            turn += 1;
          }
          // The last waiter of a turn resumed before the end of the turn.
          for (const duration of worked) expect(duration ?? 0).toBeLessThan(2 + 4);
          const rounds = jobs.flatMap((pieces, job) => pieces.map((_, round) => ({ round, job })));
          rounds.sort((one, other) => one.round - other.round || one.job - other.job);
          expect(served.map(({ job }) => job)).toEqual(rounds.map(({ job }) => job));
        },
      ),
      { numRuns: runs(50) },
    );
  });
});
