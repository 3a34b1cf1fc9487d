import { ANONYMOUS, type AvatarId } from '@postern/cred';
import { RelayDelivery } from '@postern/relay';
import { FakeClock, testMind } from '@postern/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clientKeys } from '../../packages/relay/src/client-keys.ts';
import { FairQueue } from '../../packages/relay/src/fair-queue.ts';
import { Shares } from '../../packages/relay/src/shares.ts';
import { runs } from '../support/fuzz.ts';
import { ann, codes, envelope, eve, finish, greeting, HELLO, name, RSET, scripted, TO_ANN } from './upstream.ts';

const ANNOUNCED = TO_ANN.slice(0, TO_ANN.indexOf('\n  C: DATA'));

/** The keys of a user, or of a client without a login, at an address. */
function keysOf(address: string, avatarId: AvatarId = ANONYMOUS): readonly string[] {
  const remote = { family: address.includes(':') ? 'IPv6' : 'IPv4', address, port: 1 } as const;
  return clientKeys({ avatarId, mind: testMind({ remote }) });
}

/** Returns how the promise ended, or `waits` if it has not yet. */
async function outcome(promise: Promise<unknown>): Promise<unknown> {
  let result: unknown = 'waits';
  promise.then(
    () => {
      result = 'ended';
    },
    (error: unknown) => {
      result = error;
    },
  );
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
  return result;
}

describe('a client that is slow', () => {
  it.each([
    ['SMTP', greeting(), false],
    ['SMTP with PIPELINING', greeting('PIPELINING'), false],
    ['LMTP', greeting().replace('EHLO', 'LHLO'), true],
  ])('frees its connection for another client: %s', async (_what, hello, lmtp) => {
    const pipelined = (text: string): string =>
      hello.includes('PIPELINING')
        ? text.replace(
            'S: 250 2.1.0 ok\n  C: RCPT TO:<ann@example.org>\n',
            'C: RCPT TO:<ann@example.org>\n  S: 250 2.1.0 ok\n',
          )
        : text;
    const [announced, message] = [pipelined(ANNOUNCED), `${pipelined(TO_ANN)}${HELLO}`];
    const asked = `${announced}${RSET}`.repeat(20);
    const { smarthost, over } = scripted([`${hello}${asked}${message}${`${RSET}${message}`.repeat(20)}`], {
      maxConnections: 1,
      lmtp,
    });
    const slow = [];
    for (let index = 0; index < 20; index++) {
      const delivery = new RelayDelivery(smarthost);
      const toAnn = envelope([ann]);
      await name(delivery, toAnn);
      const message = delivery.openMessage(toAnn);
      await message.write(Buffer.from('hel'));
      slow.push(message);
    }
    const quick = envelope([ann]);
    expect(codes(await finish(new RelayDelivery(smarthost).openMessage(quick)))).toEqual([250]);
    for (const message of slow) expect(codes(await finish(message, 'lo\r\n'))).toEqual([250]);
    await over();
  });

  it('makes the next server reply once for each recipient after a reclaimed connection', async () => {
    const toEve = ANNOUNCED.replace('ann@', 'eve@');
    const both = `${ANNOUNCED}
      C: RCPT TO:<eve@example.org>
      S: 250 2.1.5 ok
      C: DATA
      S: 354 go${HELLO}`;
    const { smarthost, over } = scripted(
      [`${greeting()}${ANNOUNCED}${RSET}${TO_ANN}${HELLO}${RSET}${toEve}${RSET}${both}`],
      { maxConnections: 1 },
    );
    const slow = new RelayDelivery(smarthost);
    const toBoth = envelope([ann, eve]);
    slow.validateFrom(toBoth.reversePath, toBoth.parameters);
    await slow.validateTo(ann, toBoth.recipients[0]?.parameters ?? {});
    expect(codes(await finish(new RelayDelivery(smarthost).openMessage(envelope([ann]))))).toEqual([250]);
    await slow.validateTo(eve, toBoth.recipients[1]?.parameters ?? {});
    expect(codes(await finish(slow.openMessage(toBoth)))).toEqual([250, 250]);
    await over();
  });
});

describe('a share of the connections', () => {
  const held = (count: number): readonly string[] => Array<string>(count).fill(greeting());

  it.each<[string, (at: number) => [string, AvatarId?]]>([
    ['address', () => ['192.0.2.1']],
    ['IPv6 network', (at) => [`2001:db8::${at}`]],
    ['IPv6 site', (at) => [`2001:db8:0:${at}::1`]],
    ['user at many addresses', (at) => [`192.0.2.${at}`, 'joe']],
    ['network of many users', (at) => ['192.0.2.1', `joe${at}`]],
  ])('is a quarter for one %s', async (_whose, client) => {
    const { smarthost } = scripted(held(6), { maxConnections: 8 });
    const acquired = [1, 2, 3].map((at) => smarthost.acquire(false, keysOf(...client(at))));
    expect(await Promise.all(acquired.map(outcome))).toEqual(['ended', 'ended', 'waits']);
    const others = [1, 2].map((at) => smarthost.acquire(false, keysOf(`198.51.100.${at}`)));
    expect(await Promise.all(others.map(outcome))).toEqual(['ended', 'ended']);
    for (const other of await Promise.all(others)) other.destroy();
    expect(await outcome(acquired[2] as Promise<unknown>)).toBe('waits');
  });

  it('makes only the client wait that has used it up', async () => {
    const { smarthost } = scripted(held(4), { maxConnections: 4 });
    const lease = await smarthost.acquire(false, ['network a']);
    const waiting = smarthost.acquire(false, ['network a']);
    expect(await outcome(waiting)).toBe('waits');
    const other = await smarthost.acquire(false, ['network b']);
    expect(await outcome(waiting)).toBe('waits');
    other.destroy();
    expect(await outcome(waiting)).toBe('waits');
    lease.destroy();
    expect(await outcome(waiting)).toBe('ended');
  });

  it('can be 1', async () => {
    const { smarthost } = scripted(held(4), { maxConnections: 4, maxClientShare: 1 });
    const leases = [1, 2, 3, 4].map(() => outcome(smarthost.acquire(false, ['network a'])));
    expect(await Promise.all(leases)).toEqual(['ended', 'ended', 'ended', 'ended']);
  });

  it('frees a connection for one waiter of the user and one of the network', async () => {
    const { smarthost } = scripted(held(4), { maxConnections: 4 });
    const lease = await smarthost.acquire(false, ['user joe', 'network a']);
    const [ofUser, ofNetwork] = [['user joe', 'network b'], ['network a']].map((keys) =>
      smarthost.acquire(false, keys),
    );
    expect(await outcome(ofUser as Promise<unknown>)).toBe('waits');
    expect(await outcome(ofNetwork as Promise<unknown>)).toBe('waits');
    lease.destroy();
    expect(await outcome(ofUser as Promise<unknown>)).toBe('ended');
    expect(await outcome(ofNetwork as Promise<unknown>)).toBe('ended');
  });

  it.each([0, -1, 1.5, Number.NaN])('cannot be %d', (maxClientShare) => {
    expect(() => scripted([], { maxClientShare })).toThrow(RangeError);
  });
});

describe('the queue for a connection', () => {
  it('serves each client in turn', async () => {
    const { smarthost } = scripted(Array<string>(6).fill(greeting()), { maxConnections: 1 });
    const lease = await smarthost.acquire();
    const served: string[] = [];
    const waiting = ['a', 'a', 'a', 'b', 'c'].map(async (key) => {
      const next = await smarthost.acquire(false, [key]);
      served.push(key);
      next.destroy();
    });
    lease.destroy();
    await Promise.all(waiting);
    expect(served).toEqual(['a', 'b', 'c', 'a', 'a']);
  });

  it('has maxWaiting places, a quarter of them for one client', async () => {
    const clock = new FakeClock();
    const { smarthost } = scripted([greeting()], { maxConnections: 1, maxWaiting: 8, clock, connectTimeout: 5_000 });
    await smarthost.acquire();
    const ofOne = [1, 2, 3].map(() => smarthost.acquire(false, ['network a']));
    const ofMany = [1, 2, 3, 4, 5, 6, 7].map((at) => smarthost.acquire(false, [`network ${at}`]));
    for (const acquired of [...ofOne, ...ofMany]) acquired.catch(() => {});
    expect(await outcome(ofOne[2] as Promise<unknown>)).toMatchObject({ code: 'congested' });
    expect(await outcome(ofMany[5] as Promise<unknown>)).toBe('waits');
    expect(await outcome(ofMany[6] as Promise<unknown>)).toMatchObject({ code: 'congested' });
    await clock.advance(7_000);
    expect(await outcome(ofOne[0] as Promise<unknown>)).toMatchObject({ code: 'congested' });
    const again = smarthost.acquire(false, ['network a']);
    again.catch(() => {});
    expect(await outcome(again)).toBe('waits');
  });
});

describe('FairQueue', () => {
  it('serves the keys in turn, and the members of a key in their order', () => {
    const turns = new FairQueue<string>();
    for (const member of ['a1', 'a2', 'a3', 'b1', 'c1', 'b2']) turns.add(member.charAt(0), member);
    const any = (): boolean => true;
    expect(turns.next((member) => member.startsWith('b'))).toBe('b1');
    expect(turns.delete('a', 'a2')).toBe(true);
    expect(turns.delete('a', 'a2')).toBe(false);
    const rest = [1, 2, 3, 4, 5].map(() => turns.next(any));
    expect(rest).toEqual(['a1', 'c1', 'b2', 'a3', undefined]);
    expect(turns.size).toBe(0);
  });
});

describe('Shares', () => {
  it('never exceed the total or the share of a key, and are empty at the end', () => {
    const step = fc.record({
      keys: fc.uniqueArray(fc.constantFrom<string[]>('a', 'b', 'c'), { maxLength: 2 }),
      amount: fc.nat(5),
    });
    fc.assert(
      fc.property(fc.array(step), fc.nat(20), fc.nat(10), (steps, total, perKey) => {
        const shares = new Shares(total, perKey);
        const taken = steps.filter(({ keys, amount }) => shares.take(keys, amount));
        expect(taken.reduce((sum, { amount }) => sum + amount, 0)).toBeLessThanOrEqual(total);
        for (const key of ['a', 'b', 'c']) {
          const ofKey = taken.filter(({ keys }) => keys.includes(key));
          expect(ofKey.reduce((sum, { amount }) => sum + amount, 0)).toBeLessThanOrEqual(perKey);
        }
        for (const { keys, amount } of taken) shares.give(keys, amount);
        expect(shares.taken).toBe(0);
        expect(shares.take(['a'], Math.min(total, perKey))).toBe(true);
      }),
      { numRuns: runs(300) },
    );
  });
});
