import type { NextHop } from '@postern/esmtp';
import { describe, expect, it } from 'vitest';
import { ann, envelope, eve, finish, greeting, HELLO, scripted, TO_ANN, toBoth } from './upstream.ts';

describe('the next hop of a message', () => {
  it.each<[string, string, boolean, NextHop['success']]>([
    ['SMTP', '', false, 'relayed'],
    ['SMTP with DSN', 'DSN', false, undefined],
    ['LMTP', '', true, 'delivered'],
    ['LMTP with DSN', 'DSN', true, undefined],
  ])('%s', async (_, extension, lmtp, success) => {
    const hello = extension === '' ? greeting() : greeting(extension);
    const script = `${lmtp ? hello.replace('EHLO', 'LHLO') : hello}${TO_ANN}${HELLO}`;
    const { delivery, over } = scripted([script], { lmtp });
    const message = delivery.openMessage(envelope([ann]));
    await finish(message);
    expect(message.nextHop?.(0)).toMatchObject({
      host: 'mx.example.org',
      success,
      reply: { code: 250, enhanced: '2.0.0', lines: ['kept'] },
    });
    await over();
  });

  it('has the reply for each recipient that has arrived', async () => {
    const lhlo = greeting().replace('EHLO', 'LHLO');
    const { delivery, over } = scripted([`${lhlo}${toBoth('S: 552 5.2.2 full\nS: <close>')}`], { lmtp: true });
    const message = delivery.openMessage(envelope([ann, eve]));
    await finish(message);
    expect([0, 1].map((at) => message.nextHop?.(at)?.reply?.code)).toEqual([552, undefined]);
    await over();
  });

  it('has the refusal of RCPT, or the reply with the queue id', async () => {
    const refused = `${toBoth('S: 250 2.0.0 Ok: queued as 4F1A2B')}`.replace('250 2.1.5 ok', '550 5.1.1 no ann here');
    const { delivery, over } = scripted([`${greeting()}${refused}`]);
    const message = delivery.openMessage(envelope([ann, eve]));
    await finish(message);
    expect([0, 1].map((recipient) => String(message.nextHop?.(recipient)?.reply))).toEqual([
      '550 5.1.1 no ann here\r\n',
      '250 2.0.0 Ok: queued as 4F1A2B\r\n',
    ]);
    await over();
  });

  it('is the result of each recipient too, with the id of its queue', async () => {
    const { delivery, over } = scripted([`${greeting()}${toBoth('S: 250 2.0.0 Ok: queued as 4F1A2B')}`]);
    const results = await finish(delivery.openMessage(envelope([ann, eve])));
    expect(results.map(String)).toEqual(Array(2).fill('250 2.0.0 Ok: queued as 4F1A2B\r\n'));
    await over();
  });

  it('has the refusal of a message after its data', async () => {
    for (const answer of ['554 5.7.1 spam', '421 4.3.2 closing']) {
      const { delivery, over } = scripted([`${greeting()}${TO_ANN}\nC: hello\nC: .\nS: ${answer}`]);
      const message = delivery.openMessage(envelope([ann]));
      await finish(message);
      expect(String(message.nextHop?.(0)?.reply)).toBe(`${answer}\r\n`);
      await over();
    }
  });

  it.each([
    [{ host: '192.0.2.1', port: 25 }, '[192.0.2.1]'],
    [{ host: '2001:db8::1', port: 25 }, '[IPv6:2001:db8::1]'],
    [{ path: '/run/smtp' }, 'localhost'],
  ])('has the name of %j', (endpoint, host) => {
    expect(scripted([], { endpoint }).smarthost.host).toBe(host);
  });
});
