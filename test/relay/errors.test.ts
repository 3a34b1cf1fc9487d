import { PeerGone } from '@postern/conversation';
import type { Rejection } from '@postern/esmtp';
import type { SmarthostOptions } from '@postern/relay';
import { plainResponder } from '@postern/sasl/client';
import { FakeClock } from '@postern/testing';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { ann, deliver, envelope, finish, greeting, HELLO, joe, name, RSET, scripted, TO_ANN } from './upstream.ts';

const DIALOGUE = `${greeting()}${TO_ANN}${HELLO}`.split('\n');

describe('a server that dies', () => {
  const steps = DIALOGUE.keys();

  it.each([...steps].map((at) => [at, DIALOGUE[at]?.trim()] as const))(
    'at step %i, %j, makes the message a 4xx',
    async (at) => {
      const script = [...DIALOGUE.slice(0, at), 'S: <close>'].join('\n');
      const { delivery, troubles } = scripted([script]);
      const outcome = await deliver(delivery, envelope([ann])).then(
        ([code]) => code,
        ({ reply }: Rejection) => `${reply.code} ${reply.enhanced}`,
      );
      // Up to DATA the connection may be replaced, and there is no other.
      expect(['451 4.4.1', '451 4.4.2', 451]).toContain(outcome);
      expect(troubles.length).toBeGreaterThan(0);
    },
  );

  it('after an accepted recipient is replaced at the next RCPT', async () => {
    const { delivery, over } = scripted([
      `${greeting()}
      C: MAIL FROM:<joe@example.com>
      S: 250 2.1.0 ok
      C: RCPT TO:<ann@example.org>
      S: 250 2.1.5 ok
      S: <close>`,
      `${greeting()}
      C: MAIL FROM:<joe@example.com>
      S: 250 2.1.0 ok
      C: RCPT TO:<joe@example.com>
      S: 250 2.1.5 ok${RSET}
      C: MAIL FROM:<joe@example.com>
      S: 250 2.1.0 ok
      C: RCPT TO:<ann@example.org>
      S: 250 2.1.5 ok
      C: RCPT TO:<joe@example.com>
      S: 250 2.1.5 ok
      C: DATA
      S: 354 go${HELLO}`,
    ]);
    expect(await deliver(delivery, envelope([ann, joe]))).toEqual([250, 250]);
    await over();
  });

  it('before the data is replaced', async () => {
    const { delivery, over } = scripted([
      `${greeting()}${TO_ANN.replace('354 go', '421 4.3.2 closing')}\nS: <close>`,
      `${greeting()}${TO_ANN}${HELLO}`,
    ]);
    expect(await deliver(delivery, envelope([ann]))).toEqual([250]);
    await over();
  });
});

describe('an unfinished message', () => {
  const announced = TO_ANN.slice(0, TO_ANN.indexOf('\n  C: DATA'));

  it('is not sent, and its connection serves the next message', async () => {
    const { delivery, over, troubles } = scripted([`${greeting()}${announced}${RSET}${TO_ANN}${HELLO}`]);
    const toAnn = envelope([ann]);
    await name(delivery, toAnn);
    const message = delivery.openMessage(toAnn);
    await message.write(Buffer.from('begin\r\n'));
    await message.abort(new PeerGone());
    expect(await deliver(delivery, envelope([ann]))).toEqual([250]);
    expect(troubles).toEqual([]);
    await over();
  });
});

describe('a message that must not be sent', () => {
  const before = `${'x'.repeat(70)}\r\n`.repeat(1_000);

  async function finished(text: string) {
    const upstream = scripted([`${greeting()}${TO_ANN}`], {}, { highWaterMark: 1_000_000 });
    const toAnn = envelope([ann]);
    await name(upstream.delivery, toAnn);
    const message = upstream.delivery.openMessage(toAnn);
    await message.write(Buffer.from(before));
    return { ...upstream, results: finish(message, text) };
  }

  it.each([
    ['a NUL', 'a\0b\r\n'],
    ['a bare LF', 'a\n.\r\nMAIL FROM:<eve@example.com>\r\n'],
    ['a bare CR', 'a\r.\r\n'],
  ])('is aborted at %s', async (_what, text) => {
    const { results, heard, troubles } = await finished(text);
    await expect(results).rejects.toMatchObject({ reply: { code: 550, enhanced: '5.6.11' } });
    expect(await heard()).toBe(before);
    expect(troubles).toEqual([]);
  });

  it('is aborted if it ends with a CR', async () => {
    const { results, heard } = await finished('a\r');
    expect(await results).toMatchObject([{ code: 550, enhanced: '5.6.11' }]);
    expect(await heard()).toBe(`${before}a\r`);
  });

  it('gets a missing last CRLF', async () => {
    const { delivery, over } = scripted([`${greeting()}${TO_ANN}\nC: end\nC: .\nS: 250 2.0.0 kept`]);
    expect(await deliver(delivery, envelope([ann]), 'end')).toEqual([250]);
    await over();
  });
});

describe('a server that is silent', () => {
  const silent = (script: string, options: Partial<SmarthostOptions> = {}) => {
    const clock = new FakeClock();
    return { clock, ...scripted([script], { clock, readTimeout: 60_000, dataTimeout: 120_000, ...options }) };
  };

  it.each([
    ['to the greeting', '', '4.4.1'],
    ['to MAIL', `${greeting()}\nC: MAIL FROM:<joe@example.com>`, '4.4.2'],
    ['to RCPT', `${greeting()}\nC: MAIL FROM:<joe@example.com>\nS: 250 ok\nC: RCPT TO:<ann@example.org>`, '4.4.2'],
  ])('%s times out after readTimeout', async (_step, script, enhanced) => {
    const { clock, delivery } = silent(script);
    const named = name(delivery, envelope([ann]));
    named.catch(() => {});
    await clock.advance(62_000);
    await expect(named).rejects.toMatchObject({ reply: { code: 451, enhanced } });
  });

  it('to the message times out after dataTimeout', async () => {
    const { clock, delivery } = silent(`${greeting()}${TO_ANN}\nC: hello\nC: .`);
    const results = deliver(delivery, envelope([ann]));
    let settled = false;
    void results.then(() => {
      settled = true;
    });
    await clock.advance(100_000);
    expect(settled).toBe(false);
    await clock.advance(30_000);
    expect(await results).toEqual([451]);
  });

  it('and does not read times out', async () => {
    const clock = new FakeClock();
    const { delivery } = scripted([`${greeting()}${TO_ANN}`], { clock, readTimeout: 60_000 }, { highWaterMark: 1_000 });
    const toAnn = envelope([ann]);
    await name(delivery, toAnn);
    const results = finish(delivery.openMessage(toAnn), 'x'.repeat(60_000));
    results.catch(() => {});
    await clock.advance(62_000);
    await expect(results).rejects.toMatchObject({ reply: { code: 451, enhanced: '4.4.2' } });
  });
});

describe('an error of the connection to the next server', () => {
  const failing = (script: string, options: Partial<SmarthostOptions> = {}) => {
    const { delivery, troubles } = scripted([script], options);
    return { named: name(delivery, envelope([ann])), troubles };
  };

  it.each([
    ['a greeting that is none', 'S: 554 5.3.2 not today', '4.4.1'],
    ['a refused EHLO', 'S: 220 hi\nC: EHLO relay.example.com\nS: 450 4.7.1 greylisted', '4.4.1'],
    ['no protocol', 'S: hello?', '4.4.1'],
    [
      'a login that it wants',
      `${greeting()}\nC: MAIL FROM:<joe@example.com>\nS: 530 5.7.0 log in\nC: RCPT TO:<ann@example.org>\nS: 530 5.7.0 log in`,
      '4.3.5',
    ],
    [
      '421',
      `${greeting()}\nC: MAIL FROM:<joe@example.com>\nS: 250 ok\nC: RCPT TO:<ann@example.org>\nS: 421 4.7.0 too many`,
      '4.7.0',
    ],
    [
      'a reply that fits no command',
      `${greeting()}\nC: MAIL FROM:<joe@example.com>\nS: 354 go on\nC: RCPT TO:<ann@example.org>\nS: 354 go on`,
      '4.4.2',
    ],
  ])('is reported, and a 451 for the client: %s', async (_what, script, enhanced) => {
    const { named, troubles } = failing(script);
    await expect(named).rejects.toMatchObject({ reply: { code: 451, enhanced } });
    expect(troubles).toHaveLength(1);
  });

  it('is a missing STARTTLS where TLS is required', async () => {
    const { named, troubles } = failing(greeting('HELP'), { tls: 'required' });
    await expect(named).rejects.toMatchObject({ reply: { code: 451, enhanced: '4.4.1' } });
    expect(troubles).toMatchObject([{ code: 'unreachable', cause: { message: expect.stringContaining('STARTTLS') } }]);
  });

  it('is a refused login', async () => {
    const { named, troubles } = failing(`${greeting('AUTH PLAIN')}\nC: AUTH PLAIN AGpvZQBzM2NyZXQ=\nS: 535 5.7.8 no`, {
      responders: [plainResponder({ username: 'joe', password: 's3cret' })],
      allowCleartext: true,
    });
    await expect(named).rejects.toMatchObject({ reply: { code: 451, enhanced: '4.3.5' } });
    expect(JSON.stringify(troubles)).not.toContain('s3cret');
  });

  it('is a process warning without a hook', async () => {
    const warn = vi.spyOn(process, 'emitWarning').mockReturnValue();
    onTestFinished(() => warn.mockRestore());
    const { named } = failing('S: 554 no', { onError: undefined as never });
    await expect(named).rejects.toMatchObject({ reply: { code: 451 } });
    expect(warn).toHaveBeenCalledExactlyOnceWith(
      expect.objectContaining({ message: expect.stringContaining('the relay to the next server failed: ') }),
    );
  });

  it('does not change the reply if the hook throws', async () => {
    const { named } = failing('S: 554 no', {
      onError: () => {
        throw new Error('no log');
      },
    });
    await expect(named).rejects.toMatchObject({ reply: { code: 451 } });
  });
});
