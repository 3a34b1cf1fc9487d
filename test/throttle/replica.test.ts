import type { AvatarId, Checker } from '@postern/cred';
import { LoginDenied, UnauthorizedLogin, UsernamePassword } from '@postern/cred';
import { FakeClock, failureCountsContract, settle } from '@postern/testing';
import {
  type ThrottleChange,
  ThrottleHub,
  type ThrottleLimit,
  type ThrottleOptions,
  ThrottleReplica,
  type ThrottleUpdate,
  withThrottle,
} from '@postern/throttle';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mindOf } from '../cred/support.ts';
import { testContract } from '../support/contract.ts';
import { HERE, limits, MINUTE, THERE } from './support.ts';

/** A hub and replicas in one process, whose messages arrive when the test delivers them. */
class Machine {
  readonly clock = new FakeClock();
  readonly hub: ThrottleHub;
  readonly workers: number;
  readonly updates: ThrottleUpdate[] = [];
  readonly #wires: (() => void)[][] = [];

  constructor(workers: number, hub?: ThrottleHub) {
    this.workers = workers;
    this.hub = hub ?? new ThrottleHub({ clock: this.clock });
  }

  /** Starts a process. `isReading` false stops it from reading its messages. */
  start({ isReading = () => true }: { isReading?: () => boolean } = {}) {
    const up: (() => void)[] = [];
    const down: (() => void)[] = [];
    this.#wires.push(up, down);
    let reports = 0;
    const replica: ThrottleReplica = new ThrottleReplica({
      workers: this.workers,
      guessKey: Buffer.alloc(32),
      clock: this.clock,
      send: (report) => {
        reports += 1;
        up.push(() => channel.receive(JSON.parse(JSON.stringify(report))));
      },
    });
    const channel = this.hub.join((update, sent) => {
      if (!isReading()) return;
      this.updates.push(update);
      down.push(() => {
        replica.receive(JSON.parse(JSON.stringify(update)));
        sent();
      });
    });
    return { replica, channel, down, reports: () => reports };
  }

  /** Delivers the oldest message of one wire. Returns false if no wire has a message. */
  deliver(wire = 0): boolean {
    const full = this.#wires.filter((messages) => messages.length > 0);
    full[wire % full.length]?.shift()?.();
    return full.length > 0;
  }

  /** Delivers all messages, and those that answer them. */
  async deliverAll(): Promise<void> {
    do await settle();
    while (this.deliver());
  }

  /** Resolves with the result when the messages that it waits for are delivered. */
  async run<T>(work: Promise<T>): Promise<T> {
    let isDone = false;
    const done = work.finally(() => {
      isDone = true;
    });
    done.catch(() => {});
    while (!isDone) await this.deliverAll();
    return await done;
  }
}

/** Returns a throttle, and the number of passwords that its checker has judged. */
function throttled(replica: ThrottleReplica, options: ThrottleOptions = limits) {
  const counted = { asked: 0 };
  const checker: Checker<UsernamePassword> = {
    credentialInterfaces: [UsernamePassword],
    requestAvatarId({ username, password }): AvatarId {
      counted.asked += 1;
      if (password === 's3cret') return username;
      throw new UnauthorizedLogin();
    },
  };
  const throttle = withThrottle(checker, { ...options, counts: replica });
  const login = async (password: string, mind = HERE): Promise<string> => {
    try {
      return String(await throttle.requestAvatarId(new UsernamePassword('joe', password), mind));
    } catch (error) {
      return error instanceof LoginDenied ? error.reason : 'refused';
    }
  };
  return { counted, login };
}

describe('a replica, alone with its hub,', () => {
  const clock = new FakeClock();
  const make = () => {
    const hub = new ThrottleHub({ clock });
    const replica: ThrottleReplica = new ThrottleReplica({
      workers: 1,
      guessKey: Buffer.alloc(32),
      clock,
      send: (report) => channel.receive(report),
    });
    const channel = hub.join((update, sent) => {
      // The hub may answer at once: the replica has not been assigned at its first message.
      queueMicrotask(() => replica.receive(update));
      sent();
    });
    return replica;
  };
  testContract(failureCountsContract({ make, advance: (time) => clock.advance(time), hasRemaining: true }));
});

describe('the throttles of two processes', () => {
  it('deny after as many guesses as one', async () => {
    const machine = new Machine(2);
    const [first, second] = [throttled(machine.start().replica), throttled(machine.start().replica)];
    const verdicts: string[] = [];
    for (let n = 0; n < 6; n += 1) verdicts.push(await machine.run((n % 2 === 0 ? first : second).login(`guess ${n}`)));
    expect(verdicts).toEqual(['refused', 'refused', 'refused', 'too-many', 'too-many', 'too-many']);
  });

  it('count a repeated guess once', async () => {
    const machine = new Machine(2);
    const [first, second] = [throttled(machine.start().replica), throttled(machine.start().replica)];
    for (let n = 0; n < 6; n += 1)
      expect(await machine.run((n % 2 === 0 ? first : second).login('last year’s'))).toBe('refused');
    expect(await machine.run(second.login('s3cret'))).toBe('joe');
  });

  it('forget the failures after a success in one of them', async () => {
    const machine = new Machine(2);
    const [first, second] = [throttled(machine.start().replica), throttled(machine.start().replica)];
    for (let n = 0; n < 2; n += 1) await machine.run(first.login(`guess ${n}`));
    expect(await machine.run(second.login('s3cret'))).toBe('joe');
    await machine.deliverAll();
    for (let n = 2; n < 5; n += 1) expect(await machine.run(first.login(`guess ${n}`))).toBe('refused');
  });

  it('exempt the networks of earlier logins, once a client guesses at the user', async () => {
    const machine = new Machine(2);
    const options = { ...limits, user: { failures: 3, window: MINUTE } };
    const [first, second] = [throttled(machine.start().replica, options), throttled(machine.start().replica, options)];
    await machine.run(first.login('s3cret', HERE));
    await machine.deliverAll();
    const published = () => machine.updates.flatMap(({ changes }) => changes).filter(([kind]) => kind === 'known');
    expect(published()).toEqual([]);
    const guess = (n: number) => machine.run(second.login(`guess ${n}`, mindOf({ address: `10.0.0.${n}` })));
    await guess(1);
    await machine.run(first.login('s3cret', mindOf({ address: '10.9.9.9' })));
    for (const n of [2, 3]) await guess(n);
    await machine.deliverAll();
    expect(await machine.run(second.login('s3cret', HERE))).toBe('joe');
    expect(await machine.run(second.login('s3cret', mindOf({ address: '10.9.9.9' })))).toBe('joe');
    expect(await machine.run(second.login('s3cret', THERE))).toBe('too-many');
  });

  it('judge at most `atOnce` guesses above the limit, rounded up for each, in whatever order messages arrive', async () => {
    const limit: ThrottleLimit = { failures: 4, window: MINUTE, atOnce: 3 };
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 4 }),
        fc.array(fc.integer({ min: 0, max: 7 }), { maxLength: 80 }),
        async (workers, order) => {
          const machine = new Machine(workers);
          const all = Array.from({ length: workers }, () =>
            throttled(machine.start().replica, { ...limits, userAndNetwork: limit }),
          );
          const logins = all.flatMap(({ login }, worker) =>
            Array.from({ length: 12 }, (_, n) => login(`guess ${worker} ${n}`)),
          );
          for (const wire of order) {
            await settle();
            machine.deliver(wire);
          }
          await machine.run(Promise.all(logins));
          const judged = all.reduce((sum, { counted }) => sum + counted.asked, 0);
          expect(judged).toBeGreaterThanOrEqual(limit.failures);
          expect(judged).toBeLessThanOrEqual(limit.failures + workers * Math.ceil(3 / workers));
        },
      ),
      { numRuns: 30 },
    );
  });
});

describe('replicas', () => {
  it('agree when all messages have arrived, in whatever order', async () => {
    const step = fc.record({
      worker: fc.integer({ min: 0, max: 2 }),
      key: fc.constantFrom('a', 'b'),
      kind: fc.constantFrom('add', 'add', 'reset', 'deliver', 'deliver'),
      wire: fc.integer({ min: 0, max: 5 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const machine = new Machine(3);
        const replicas = Array.from({ length: 3 }, () => machine.start().replica);
        for (const { worker, key, kind, wire } of steps) {
          if (kind === 'deliver') machine.deliver(wire);
          else if (kind === 'add') void replicas[worker]?.add(key, MINUTE);
          else replicas[worker]?.reset(key);
          await settle();
        }
        await machine.deliverAll();
        const late = machine.start().replica;
        await machine.deliverAll();
        for (const key of ['a', 'b']) {
          const counts = [...replicas, late].map((replica) => replica.get(key));
          expect(new Set(counts).size, counts.join()).toBe(1);
        }
      }),
      { numRuns: 50 },
    );
  });

  it('that start later know what the others know, also of one that has ended', async () => {
    const machine = new Machine(2);
    const first = machine.start();
    const { login } = throttled(first.replica);
    for (let n = 0; n < 3; n += 1) await machine.run(login(`guess ${n}`));
    first.channel.close();
    await machine.clock.advance(MINUTE / 4);
    const second = throttled(machine.start().replica);
    await machine.deliverAll();
    expect(await machine.run(second.login('s3cret'))).toBe('too-many');
    await machine.clock.advance((MINUTE * 3) / 4);
    expect(await machine.run(second.login('s3cret'))).toBe('joe');
  });

  it('have one report on its way, however many logins fail', async () => {
    const machine = new Machine(1);
    const { replica, reports } = machine.start();
    const failures = Array.from({ length: 1000 }, async (_, n) => {
      await settle();
      await replica.add(`key ${n}`, MINUTE);
    });
    await settle();
    await settle();
    expect(reports()).toBe(1);
    await machine.run(Promise.all(failures));
    expect(reports()).toBeLessThan(10);
    expect(replica.get('key 999')).toBe(1);
  });

  it('count alone while the hub does not answer, and bound their memory', async () => {
    const machine = new Machine(2);
    const { replica } = machine.start();
    const failed = replica.add('key', MINUTE);
    await settle();
    await machine.clock.advance(1_000);
    await failed;
    for (let n = 0; n < 30_000; n += 1) await replica.add('key', MINUTE);
    expect(replica.get('key')).toBe(30_001);
  });

  it('forget a failure at the end of its window, also while the hub does not answer', async () => {
    const machine = new Machine(1);
    const { replica } = machine.start();
    const failed = replica.add('key', MINUTE);
    await settle();
    await machine.clock.advance(MINUTE / 2);
    await failed;
    await replica.add('key', MINUTE);
    expect([replica.get('key'), replica.remaining('key')]).toEqual([2, MINUTE / 2]);
    await machine.clock.advance(MINUTE / 2);
    expect([replica.get('key'), replica.remaining('key')]).toEqual([0, 0]);
  });

  it('count an unconfirmed failure in the window of the confirmed failures of its key', async () => {
    const machine = new Machine(1);
    const { replica } = machine.start();
    await machine.run(replica.add('key', MINUTE));
    await machine.clock.advance(MINUTE / 2);
    void replica.add('key', MINUTE);
    expect([replica.get('key'), replica.remaining('key')]).toEqual([2, MINUTE / 2]);
    await machine.clock.advance(MINUTE / 2);
    expect([replica.get('key'), replica.remaining('key')]).toEqual([0, 0]);
  });
});

describe('a hub', () => {
  it('sends all that it remembers to a replica that was far behind', async () => {
    const machine = new Machine(2);
    let isReading = false;
    let resume = () => {};
    const updates: ThrottleUpdate[] = [];
    machine.hub.join((update, sent) => {
      updates.push(update);
      if (isReading) sent();
      else resume = sent;
    });
    const { channel } = machine.start();
    const changes = Array.from({ length: 100 }, (_, n): ThrottleChange => ['failed', `key ${n}`, MINUTE, 1]);
    for (let n = 0; n < 200; n += 1) channel.receive({ changes });
    isReading = true;
    resume();
    expect(updates.map(({ replaces }) => replaces)).toEqual([true, true]);
    expect(updates[1]?.changes).toHaveLength(100);
    expect(updates[1]?.changes[0]).toEqual(['failed', 'key 0', expect.any(Number), 200]);
    channel.receive({ changes });
    expect(updates[2]).toEqual({ changes, own: undefined });
  });

  it('remembers a bounded number of keys', () => {
    const hub = new ThrottleHub({ maximumKeys: 10 });
    const updates: ThrottleUpdate[] = [];
    const channel = hub.join(() => {});
    for (let n = 0; n < 100; n += 1) channel.receive({ changes: [['failed', `key ${n}`, MINUTE, 1]] });
    hub.join((update) => updates.push(update));
    expect(updates[0]?.changes).toHaveLength(10);
  });
});
