import { Conversation } from '@postern/conversation';
import { RelayDelivery } from '@postern/relay';
import { FakeClock, memoryPipe } from '@postern/testing';
import { describe, expect, it } from 'vitest';
import { play } from '../esmtp/client/scripted-server.ts';
import {
  ann,
  codes,
  deliver,
  envelope,
  eve,
  finish,
  greeting,
  HELLO,
  name,
  RSET,
  scripted,
  TO_ANN,
} from './upstream.ts';

const QUIT = `
  C: QUIT
  S: 221 2.0.0 bye
  S: <close>`;

const ONE = `${greeting()}${TO_ANN}${HELLO}`;
const ANNOUNCED = `
  C: MAIL FROM:<joe@example.com>
  S: 250 2.1.0 ok
  C: RCPT TO:<ann@example.org>
  S: 250 2.1.5 ok`;

describe('the connections to the next server', () => {
  it('serve one message after the other, of several deliveries as well', async () => {
    const { delivery, smarthost, over } = scripted([`${ONE}${RSET}${TO_ANN}${HELLO}${RSET}${TO_ANN}${HELLO}${QUIT}`]);
    expect(await deliver(delivery, envelope([ann]))).toEqual([250]);
    expect(await deliver(delivery, envelope([ann]))).toEqual([250]);
    expect(await deliver(new RelayDelivery(smarthost), envelope([ann]))).toEqual([250]);
    await smarthost.close();
    await over();
  });

  it('are replaced if the server has closed them', async () => {
    const { delivery, over } = scripted([`${ONE}\nS: <close>`, ONE]);
    await deliver(delivery, envelope([ann]));
    await new Promise((resolve) => setImmediate(resolve));
    expect(await deliver(delivery, envelope([ann]))).toEqual([250]);
    await over();
  });

  it('are replaced if the server refuses RSET', async () => {
    const { delivery, over } = scripted([`${ONE}\nC: RSET\nS: 421 4.4.2 idle for too long\nS: <close>`, ONE]);
    await deliver(delivery, envelope([ann]));
    expect(await deliver(delivery, envelope([ann]))).toEqual([250]);
    await over();
  });

  it('are replaced if the server replies twice to RSET', async () => {
    const { delivery, over } = scripted([`${ONE}${RSET}\nS: 250 2.0.0 ok`, ONE]);
    await deliver(delivery, envelope([ann]));
    expect(await deliver(delivery, envelope([ann]))).toEqual([250]);
    await over();
  });

  it('are replaced if the server does not reply to RSET', async () => {
    const clock = new FakeClock();
    const { delivery, over } = scripted([`${ONE}\nC: RSET\nC: <closed>`, ONE], { clock });
    await deliver(delivery, envelope([ann]));
    const second = deliver(delivery, envelope([ann]));
    await clock.advance(12_000);
    expect(await second).toEqual([250]);
    await over();
  });

  it('are all replaced if the first one is dead', async () => {
    const clock = new FakeClock();
    const silent = `${ONE}\nC: RSET\nC: <closed>`;
    const unused = `${ONE}\nC: <closed>`;
    const { delivery, smarthost, over } = scripted([unused, silent, ONE], { clock });
    const two = [ann, ann].map((to) => deliver(new RelayDelivery(smarthost), envelope([to])));
    expect(await Promise.all(two)).toEqual([[250], [250]]);
    const third = deliver(delivery, envelope([ann]));
    await clock.advance(12_000);
    expect(await third).toEqual([250]);
    await over();
  });

  it('are not reused after an unexpected reply', async () => {
    const { delivery, over } = scripted([`${ONE}\nS: 250 2.0.0 kept again\nC: <closed>`, ONE]);
    await deliver(delivery, envelope([ann]));
    expect(await deliver(delivery, envelope([ann]))).toEqual([250]);
    await over();
  });

  const ENOUGH = '421 4.7.0 maximum message count per session reached';

  it.each([
    ['421 to MAIL', `${RSET}\nC: MAIL FROM:<joe@example.com>\nS: ${ENOUGH}\nC: <closed>`],
    ['421 to MAIL, and leaves', `${RSET}\nC: MAIL FROM:<joe@example.com>\nS: ${ENOUGH}\nS: <close>`],
    ['nothing to MAIL, and leaves', `${RSET}\nC: MAIL FROM:<joe@example.com>\nS: <close>`],
    ['421 to RCPT', `${RSET}${ANNOUNCED.replace('250 2.1.5 ok', ENOUGH)}\nS: <close>`],
    ['421 to DATA', `${RSET}${TO_ANN.replace('354 go', ENOUGH)}\nS: <close>`],
    ['nothing to DATA, and leaves', `${RSET}${TO_ANN.replace('S: 354 go', 'S: <close>')}`],
  ])('are replaced if the reply on a reused one is %s', async (_what, end) => {
    for (const named of [true, false]) {
      const { delivery, over, troubles } = scripted([`${ONE}${end}`, ONE]);
      await deliver(delivery, envelope([ann]));
      const second = envelope([ann]);
      if (named) await name(delivery, second);
      expect(codes(await finish(delivery.openMessage(second)))).toEqual([250]);
      expect(troubles).toEqual([]);
      await over();
    }
  });

  it('are replaced if the server resets a reused one', async () => {
    const [first, second] = [memoryPipe(), memoryPipe()];
    const transports = [first.client, second.client];
    const { delivery } = scripted([], { connect: async () => transports.shift() ?? first.client });
    const before = play(new Conversation(first.server), `${ONE}${RSET}`.trim().split('\n'));
    const after = play(new Conversation(second.server), ONE.trim().split('\n'));
    const reset = before.then(() => first.server.reset());
    expect(await deliver(delivery, envelope([ann]))).toEqual([250]);
    expect(await deliver(delivery, envelope([ann]))).toEqual([250]);
    await Promise.all([reset, after]);
  });

  it('are replaced once: a second failure is a 451', async () => {
    const refused = `${greeting()}\nC: MAIL FROM:<joe@example.com>\nS: ${ENOUGH}\nS: <close>`;
    const { delivery, over, troubles } = scripted([
      `${ONE}${RSET}\nC: MAIL FROM:<joe@example.com>\nS: <close>`,
      refused,
    ]);
    await deliver(delivery, envelope([ann]));
    await expect(deliver(delivery, envelope([ann]))).rejects.toMatchObject({
      reply: { code: 451, enhanced: '4.7.0', lines: ['maximum message count per session reached'] },
    });
    expect(troubles).toHaveLength(1);
    await over();
  });

  it('are not replaced after the data: the message could come twice', async () => {
    const { delivery, over } = scripted([`${ONE}${RSET}${TO_ANN}\nC: hello\nC: .\nS: <close>`]);
    await deliver(delivery, envelope([ann]));
    expect(await deliver(delivery, envelope([ann]))).toEqual([451]);
    await over();
  });

  it('end with QUIT after maxMessagesPerConnection messages', async () => {
    const two = `${ONE}${RSET}${TO_ANN}${HELLO}${QUIT}`;
    const { delivery, over } = scripted([two, ONE], { maxMessagesPerConnection: 2, maxConnections: 1 });
    for (let count = 0; count < 3; count++) expect(await deliver(delivery, envelope([ann]))).toEqual([250]);
    await over();
  });

  it('never exceed maxConnections when a new one replaces a reused one', async () => {
    const replacing = `${greeting()}${RSET}${TO_ANN}${HELLO}`;
    const { delivery, smarthost, over } = scripted([`${ONE}${QUIT}`, ONE, replacing], { maxConnections: 2 });
    const two = [ann, ann].map((to) => deliver(new RelayDelivery(smarthost), envelope([to])));
    expect(await Promise.all(two)).toEqual([[250], [250]]);
    const held = await smarthost.acquire(true);
    held.release();
    expect(await deliver(delivery, envelope([ann]))).toEqual([250]);
    await over();
  });

  it('are closed after idleTimeout', async () => {
    const clock = new FakeClock();
    const { delivery, over } = scripted([`${ONE}${QUIT}`, ONE], { clock, idleTimeout: 20_000 });
    await deliver(delivery, envelope([ann]));
    await clock.advance(41_000);
    await deliver(delivery, envelope([ann]));
    await over();
  });

  it('are opened for parallel messages', async () => {
    const { smarthost, over } = scripted([ONE, ONE]);
    const two = [ann, ann].map((to) => deliver(new RelayDelivery(smarthost), envelope([to])));
    expect(await Promise.all(two)).toEqual([[250], [250]]);
    await over();
  });

  it('are at most maxConnections: other messages wait', async () => {
    const { smarthost, over } = scripted([`${ONE}${RSET}${TO_ANN}${HELLO}`], { maxConnections: 1 });
    const two = [ann, ann].map((to) => new RelayDelivery(smarthost).openMessage(envelope([to])));
    const results = await Promise.all(two.map((message) => finish(message)));
    expect(results.map(codes)).toEqual([[250], [250]]);
    await over();
  });

  it('are waited for until connectTimeout, and then the reply is 451', async () => {
    const clock = new FakeClock();
    const { delivery, smarthost, over, troubles } = scripted([`${greeting()}${RSET}${TO_ANN}${HELLO}`], {
      maxConnections: 1,
      connectTimeout: 5_000,
      clock,
    });
    const lease = await smarthost.acquire();
    const second = finish(delivery.openMessage(envelope([ann])));
    second.catch(() => {});
    await clock.advance(7_000);
    await expect(second).rejects.toMatchObject({ reply: { code: 451, enhanced: '4.4.5' } });
    expect(troubles).toMatchObject([{ code: 'congested' }]);
    lease.release();
    expect(await deliver(delivery, envelope([ann]))).toEqual([250]);
    await over();
  });

  it('are reclaimed from a client that pauses, which begins again', async () => {
    const { smarthost, over } = scripted(
      [`${greeting()}${ANNOUNCED}${RSET}${TO_ANN}${HELLO}${RSET}${TO_ANN}${HELLO}`],
      { maxConnections: 1 },
    );
    const slow = new RelayDelivery(smarthost);
    const ofSlow = envelope([ann]);
    await name(slow, ofSlow);
    expect(await deliver(new RelayDelivery(smarthost), envelope([ann]))).toEqual([250]);
    expect(codes(await finish(slow.openMessage(ofSlow)))).toEqual([250]);
    await over();
  });

  it('are reclaimed after idleTimeout', async () => {
    const clock = new FakeClock();
    const { delivery, over } = scripted(
      [
        `${greeting()}${ANNOUNCED}${QUIT}`,
        `${greeting()}${ANNOUNCED.replace('ann@', 'eve@')}${RSET}${ANNOUNCED}
        C: RCPT TO:<eve@example.org>
        S: 250 2.1.5 ok
        C: DATA
        S: 354 go${HELLO}`,
      ],
      { clock, idleTimeout: 20_000 },
    );
    const slow = envelope([ann, eve]);
    const [first, second] = slow.recipients;
    delivery.validateFrom(slow.reversePath, slow.parameters);
    await delivery.validateTo(first?.forwardPath ?? ann, first?.parameters ?? {});
    await clock.advance(60_000);
    await delivery.validateTo(second?.forwardPath ?? eve, second?.parameters ?? {});
    expect(codes(await finish(delivery.openMessage(slow)))).toEqual([250, 250]);
    await over();
  });

  it('are returned at RSET and at the logout', async () => {
    const { smarthost, over } = scripted([`${greeting()}${ANNOUNCED}${RSET}${ANNOUNCED}${RSET}${TO_ANN}${HELLO}`], {
      maxConnections: 1,
    });
    const delivery = new RelayDelivery(smarthost);
    await name(delivery, envelope([ann]));
    await name(delivery, envelope([ann]));
    delivery[Symbol.dispose]();
    expect(await deliver(new RelayDelivery(smarthost), envelope([ann]))).toEqual([250]);
    await over();
  });

  it('are closed with the smarthost, after their message', async () => {
    const { smarthost, over, delivery, answer } = scripted([`${greeting()}${TO_ANN}\nC: hello\nC: .`]);
    const toAnn = envelope([ann]);
    await name(delivery, toAnn);
    const results = finish(delivery.openMessage(toAnn));
    await over();
    await smarthost.close();
    await answer('250 2.0.0 kept');
    expect(codes(await results)).toEqual([250]);
    await expect(deliver(delivery, envelope([ann]))).rejects.toMatchObject({
      reply: { code: 451, enhanced: '4.4.1' },
    });
  });

  it('are at least one', () => {
    expect(() => scripted([], { maxConnections: 0 })).toThrow(RangeError);
    expect(() => scripted([], { maxMessagesPerConnection: 0 })).toThrow(RangeError);
  });
});

describe('a delivery shared by connections', () => {
  it('mixes no messages', async () => {
    const toEve = ANNOUNCED.replaceAll('ann', 'eve');
    const { delivery, over } = scripted([
      `${greeting()}${ANNOUNCED}
      C: RCPT TO:<eve@example.org>
      S: 250 2.1.5 ok${RSET}${ANNOUNCED}
      C: DATA
      S: 354 go${HELLO}${RSET}${toEve}
      C: DATA
      S: 354 go${HELLO}`,
    ]);
    const [one, other] = [envelope([ann]), envelope([eve])];
    delivery.validateFrom(one.reversePath, one.parameters);
    delivery.validateFrom(other.reversePath, other.parameters);
    for (const { recipients } of [one, other]) {
      for (const { forwardPath, parameters } of recipients) await delivery.validateTo(forwardPath, parameters);
    }
    expect(codes(await finish(delivery.openMessage(one)))).toEqual([250]);
    expect(codes(await finish(delivery.openMessage(other)))).toEqual([250]);
    await over();
  });
});
