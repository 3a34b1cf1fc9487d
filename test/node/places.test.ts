import type { Standing } from '@postern/conversation';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConnectionSlot, ConnectionSlots } from '../../packages/node/src/connection-slots.ts';

describe('Places', () => {
  it('has the oldest stranger make room when nine tenths are taken', () => {
    const { places, enter, log } = houseOf(20);
    for (let n = 0; n < 18; n++) enter(`${n}`);
    expect(log).toEqual([]);
    enter('new');
    enter('newer');
    expect(log).toEqual(['displace 0', 'displace 1']);
    expect(places.size).toBe(20);
    enter('newest');
    expect(log.slice(2)).toEqual(['displace 2', 'destroy 0']);
    expect(places.size).toBe(20);
  });

  it('spares who is known, and busy strangers while there are others', () => {
    const { places, enter, log } = houseOf(20);
    const [known, busy] = [enter('known'), enter('busy')];
    for (let n = 0; n < 16; n++) enter(`${n}`);
    places.move(known, 'known');
    places.move(busy, 'busy');
    for (let n = 16; n < 33; n++) enter(`${n}`);
    expect(log.filter((entry) => /known|busy/.test(entry))).toEqual([]);
    for (let n = 33; n < 36; n++) enter(`${n}`);
    expect(log.filter((entry) => /known/.test(entry))).toEqual([]);
  });

  it('has busy strangers make room when there are no others', () => {
    const { places, enter, log } = houseOf(2);
    for (const name of ['a', 'b']) places.move(enter(name), 'busy');
    enter('c');
    expect(log).toEqual(['displace a']);
  });

  it('refuses a newcomer only when known peers have all places', () => {
    const { places, enter, log } = houseOf(2);
    const [first, second] = [enter('a'), enter('b')];
    places.move(first, 'known');
    places.move(second, 'known');
    expect(places.enter(new TestPlace('c', log))).toBe(false);
    places.leave(first);
    expect(places.enter(new TestPlace('d', log))).toBe(true);
    expect(log).toEqual([]);
  });

  it('leaves few strangers alone while the known peers take nearly all places', () => {
    const { places, enter, log } = houseOf(100);
    for (let n = 0; n < 90; n++) places.move(enter(`known ${n}`), 'known');
    for (let n = 0; n < 9; n++) enter(`${n}`);
    expect(log).toEqual([]);
  });

  it('keeps a connection that logs in while it is to make room', () => {
    const { places, enter, log } = houseOf(10);
    const first = enter('first');
    for (let n = 0; n < 9; n++) enter(`${n}`);
    expect(log).toEqual(['displace first']);
    places.move(first, 'busy');
    places.move(first, 'known');
    for (let n = 9; n < 30; n++) enter(`${n}`);
    expect(log).not.toContain('destroy first');
  });

  it('has never more places than the maximum, and displaces in the order of a list', () => {
    const action = fc.oneof(
      fc.record({ kind: fc.constant('enter' as const) }),
      fc.record({ kind: fc.constant('leave' as const), which: fc.nat(30) }),
      fc.record({
        kind: fc.constant('move' as const),
        which: fc.nat(30),
        standing: fc.constantFrom<Standing>('stranger', 'busy', 'known'),
      }),
    );
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), fc.array(action, { maxLength: 80 }), (maximum, actions) => {
        const { places, enter, log, all } = houseOf(maximum);
        for (const step of actions) {
          const before = log.length;
          const place = all[step.kind === 'enter' ? -1 : step.which % Math.max(1, all.length)];
          const expected = all.filter(inside('stranger'))[0] ?? all.filter(inside('busy'))[0];
          if (step.kind === 'enter') enter(`${all.length}`);
          else if (step.kind === 'leave' && place !== undefined) places.leave(place);
          else if (step.kind === 'move' && place !== undefined) all.push(...all.splice(all.indexOf(place), 1));
          if (step.kind === 'move' && place !== undefined && place.queue !== undefined) {
            if (place.standing !== 'leaving' || step.standing === 'known') place.standing = step.standing;
            places.move(place, step.standing);
          }
          const displaced = log.slice(before).find((entry) => entry.startsWith('displace'));
          if (displaced !== undefined) expect(displaced).toBe(`displace ${expected?.name}`);
          expect(places.size).toBeLessThanOrEqual(maximum);
          expect([...places].length).toBe(places.size);
        }
      }),
    );
  });
});

function inside(standing: Standing): (place: TestPlace) => boolean {
  return (place) => place.queue !== undefined && place.standing === standing;
}

class TestPlace extends ConnectionSlot {
  override readonly isConversing = true;
  standing: Standing | 'leaving' = 'stranger';
  readonly name: string;
  readonly #log: string[];

  constructor(name: string, log: string[]) {
    super();
    this.name = name;
    this.#log = log;
  }

  override interrupt(): void {}

  override displace(): void {
    this.standing = 'leaving';
    this.#log.push(`displace ${this.name}`);
  }

  override destroy(): void {
    this.#log.push(`destroy ${this.name}`);
  }
}

function houseOf(maximum: number) {
  const places = new ConnectionSlots(maximum);
  const log: string[] = [];
  const all: TestPlace[] = [];
  const enter = (name: string): TestPlace => {
    const place = new TestPlace(name, log);
    all.push(place);
    places.enter(place);
    return place;
  };
  return { places, enter, log, all };
}
