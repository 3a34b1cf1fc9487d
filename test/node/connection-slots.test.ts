import type { Standing } from '@postern/conversation';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConnectionSlots, SlotHolder } from '../../packages/node/src/connection-slots.ts';

describe('ConnectionSlots', () => {
  it('displaces the oldest holder when nine tenths of the slots are taken', () => {
    const { slots, take, log } = slotsOf(20);
    for (let n = 0; n < 18; n++) take(`${n}`);
    expect(log).toEqual([]);
    take('new');
    take('newer');
    expect(log).toEqual(['displace 0', 'displace 1']);
    expect(slots.size).toBe(20);
    take('newest');
    expect(log.slice(2)).toEqual(['displace 2', 'destroy 0']);
    expect(slots.size).toBe(20);
  });

  it('displaces no known holder, and no busy one while idle ones are there', () => {
    const { slots, take, log } = slotsOf(20);
    const [known, busy] = [take('authenticated'), take('busy')];
    for (let n = 0; n < 16; n++) take(`${n}`);
    slots.move(known, 'authenticated');
    slots.move(busy, 'busy');
    for (let n = 16; n < 33; n++) take(`${n}`);
    expect(log.filter((entry) => /known|busy/.test(entry))).toEqual([]);
    for (let n = 33; n < 36; n++) take(`${n}`);
    expect(log.filter((entry) => /known/.test(entry))).toEqual([]);
  });

  it('displaces busy holders when no idle one is there', () => {
    const { slots, take, log } = slotsOf(2);
    for (const name of ['a', 'b']) slots.move(take(name), 'busy');
    take('c');
    expect(log).toEqual(['displace a']);
  });

  it('refuses a holder only when known ones have all slots', () => {
    const { slots, take, log } = slotsOf(2);
    const [first, second] = [take('a'), take('b')];
    slots.move(first, 'authenticated');
    slots.move(second, 'authenticated');
    expect(slots.take(new TestHolder('c', log))).toBe(false);
    slots.free(first);
    expect(slots.take(new TestHolder('d', log))).toBe(true);
    expect(log).toEqual([]);
  });

  it('displaces none of few holders while known ones have nearly all slots', () => {
    const { slots, take, log } = slotsOf(100);
    for (let n = 0; n < 90; n++) slots.move(take(`known ${n}`), 'authenticated');
    for (let n = 0; n < 9; n++) take(`${n}`);
    expect(log).toEqual([]);
  });

  it('keeps a displaced holder that logs in', () => {
    const { slots, take, log } = slotsOf(10);
    const first = take('first');
    for (let n = 0; n < 9; n++) take(`${n}`);
    expect(log).toEqual(['displace first']);
    slots.move(first, 'busy');
    slots.move(first, 'authenticated');
    for (let n = 9; n < 30; n++) take(`${n}`);
    expect(log).not.toContain('destroy first');
  });

  it('never has more holders than the maximum, and displaces in the order of a list', () => {
    const action = fc.oneof(
      fc.record({ kind: fc.constant('take' as const) }),
      fc.record({ kind: fc.constant('free' as const), which: fc.nat(30) }),
      fc.record({
        kind: fc.constant('move' as const),
        which: fc.nat(30),
        standing: fc.constantFrom<Standing>('unauthenticated', 'busy', 'authenticated'),
      }),
    );
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), fc.array(action, { maxLength: 80 }), (maximum, actions) => {
        const { slots, take, log, all } = slotsOf(maximum);
        for (const step of actions) {
          const before = log.length;
          const holder = all[step.kind === 'take' ? -1 : step.which % Math.max(1, all.length)];
          const expected = all.filter(inside('unauthenticated'))[0] ?? all.filter(inside('busy'))[0];
          if (step.kind === 'take') take(`${all.length}`);
          else if (step.kind === 'free' && holder !== undefined) slots.free(holder);
          else if (step.kind === 'move' && holder !== undefined) all.push(...all.splice(all.indexOf(holder), 1));
          if (step.kind === 'move' && holder !== undefined && holder.queue !== undefined) {
            if (holder.standing !== 'displaced' || step.standing === 'authenticated') holder.standing = step.standing;
            slots.move(holder, step.standing);
          }
          const displaced = log.slice(before).find((entry) => entry.startsWith('displace'));
          if (displaced !== undefined) expect(displaced).toBe(`displace ${expected?.name}`);
          expect(slots.size).toBeLessThanOrEqual(maximum);
          expect([...slots].length).toBe(slots.size);
        }
      }),
    );
  });
});

function inside(standing: Standing): (holder: TestHolder) => boolean {
  return (holder) => holder.queue !== undefined && holder.standing === standing;
}

class TestHolder extends SlotHolder {
  override readonly isConversing = true;
  standing: Standing | 'displaced' = 'unauthenticated';
  readonly name: string;
  readonly #log: string[];

  constructor(name: string, log: string[]) {
    super();
    this.name = name;
    this.#log = log;
  }

  override interrupt(): void {}

  override displace(): void {
    this.standing = 'displaced';
    this.#log.push(`displace ${this.name}`);
  }

  override destroy(): void {
    this.#log.push(`destroy ${this.name}`);
  }
}

function slotsOf(maximum: number) {
  const slots = new ConnectionSlots(maximum);
  const log: string[] = [];
  const all: TestHolder[] = [];
  const take = (name: string): TestHolder => {
    const holder = new TestHolder(name, log);
    all.push(holder);
    slots.take(holder);
    return holder;
  };
  return { slots, take, log, all };
}
