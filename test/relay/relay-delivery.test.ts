import { Mailbox } from '@postern/esmtp';
import { describe, expect, it } from 'vitest';
import {
  ann,
  codes,
  deliver,
  envelope,
  eve,
  finish,
  greeting,
  HELLO,
  joe,
  name,
  RSET,
  scripted,
  TO_ANN,
} from './upstream.ts';

describe('a message to a smarthost', () => {
  it('uses the transaction of the recipient callout', async () => {
    const { delivery, over } = scripted([
      `${greeting()}
      C: MAIL FROM:<joe@example.com>
      S: 250 2.1.0 ok
      C: RCPT TO:<ann@example.org>
      S: 250 2.1.5 ok
      C: RCPT TO:<eve@example.org>
      S: 251 2.1.5 elsewhere
      C: DATA
      S: 354 go
      C: hello
      C: ..dots
      C: .
      S: 250 2.0.0 kept`,
    ]);
    expect(await deliver(delivery, envelope([ann, eve]), 'hello\r\n.dots\r\n')).toEqual([250, 250]);
    await over();
  });

  it('sends MAIL and the first RCPT together with PIPELINING', async () => {
    const { delivery, over } = scripted([
      `${greeting('PIPELINING')}
      C: MAIL FROM:<joe@example.com>
      C: RCPT TO:<ann@example.org>
      S: 250 2.1.0 ok
      S: 250 2.1.5 ok
      C: DATA
      S: 354 go${HELLO}`,
    ]);
    expect(await deliver(delivery, envelope([ann]))).toEqual([250]);
    await over();
  });

  it('has a refused recipient refused at RCPT, with the server’s code and text', async () => {
    const { delivery, over, troubles } = scripted([
      `${greeting()}
      C: MAIL FROM:<joe@example.com>
      S: 250 2.1.0 ok
      C: RCPT TO:<eve@example.org>
      S: 550-5.1.1 there is no eve
      S: 550 5.1.1 and never was
      C: RCPT TO:<ann@example.org>
      S: 250 2.1.5 ok
      C: DATA
      S: 354 go${HELLO}`,
    ]);
    const { parameters } = envelope([]);
    delivery.validateFrom(joe, parameters);
    await expect(delivery.validateTo(eve, {})).rejects.toMatchObject({
      reply: { code: 550, enhanced: '5.1.1', lines: ['there is no eve', 'and never was'] },
    });
    const recipient = { forwardPath: ann, parameters: {} };
    await delivery.validateTo(ann, recipient.parameters);
    const message = delivery.openMessage({ reversePath: joe, parameters, recipients: [recipient], id: '1' });
    expect(codes(await finish(message))).toEqual([250]);
    expect(troubles).toEqual([]);
    await over();
  });

  it('has a refused sender refused at the first RCPT', async () => {
    const { delivery, over } = scripted([
      `${greeting()}
      C: MAIL FROM:<joe@example.com>
      S: 553 not you
      C: RCPT TO:<ann@example.org>
      S: 503 5.5.1 MAIL first`,
    ]);
    const refused = name(delivery, envelope([ann]));
    await expect(refused).rejects.toMatchObject({ reply: { code: 553, enhanced: '5.0.0', lines: ['not you'] } });
    await over();
  });

  it('is refused if the server refuses DATA', async () => {
    const { delivery, over } = scripted([
      `${greeting()}${TO_ANN.replace('354 go', '452 4.3.1 no room')}${RSET}${TO_ANN}${HELLO}`,
    ]);
    await expect(deliver(delivery, envelope([ann]))).rejects.toMatchObject({ reply: { code: 452, enhanced: '4.3.1' } });
    expect(await deliver(delivery, envelope([ann]))).toEqual([250]);
    await over();
  });

  it('gets the server’s reply to the data', async () => {
    const { delivery, over } = scripted([
      `${greeting()}${TO_ANN}
      C: hello
      C: .
      S: 554 5.7.1 sp\u00e4m`,
    ]);
    const toAnn = envelope([ann]);
    await name(delivery, toAnn);
    const message = delivery.openMessage(toAnn);
    const [reply] = await finish(message);
    expect(String(reply)).toBe('554 5.7.1 sp??m\r\n');
    await over();
  });

  it('gets a 451 if the server closes with 421, and the next message uses another connection', async () => {
    const leaving = `${greeting()}${TO_ANN}\nC: hello\nC: .\nS: 421 bye\nC: <closed>`;
    const { delivery, over } = scripted([leaving, `${greeting()}${TO_ANN}${HELLO}`]);
    const toAnn = envelope([ann]);
    await name(delivery, toAnn);
    const [reply] = await finish(delivery.openMessage(toAnn));
    expect(String(reply)).toBe('451 4.4.2 bye\r\n');
    expect(await deliver(delivery, toAnn)).toEqual([250]);
    await over();
  });

  it('uses a new transaction if its envelope differs from the callout', async () => {
    const announced = `${greeting()}
      C: MAIL FROM:<joe@example.com>
      S: 250 2.1.0 ok
      C: RCPT TO:<ann@example.org>
      S: 250 2.1.5 ok
      C: RSET
      S: 250 2.0.0 ok`;
    const toAnn = envelope([ann]);
    for (const other of [
      { ...toAnn, parameters: { smtpUtf8: false } },
      { ...toAnn, recipients: [{ forwardPath: ann, parameters: {} }] },
    ]) {
      const { delivery, over } = scripted([`${announced}${TO_ANN}${HELLO}`]);
      await name(delivery, toAnn);
      expect(codes(await finish(delivery.openMessage(other)))).toEqual([250]);
      await over();
    }
  });

  it('is sent without a callout, with a result for each recipient', async () => {
    const { delivery, over } = scripted([
      `${greeting()}
      C: MAIL FROM:<>
      S: 250 2.1.0 ok
      C: RCPT TO:<ann@example.org>
      S: 450 4.2.1 busy
      C: RCPT TO:<eve@example.org>
      S: 250 2.1.5 ok
      C: DATA
      S: 354 go${HELLO}`,
    ]);
    const message = delivery.openMessage({ ...envelope([ann, eve]), reversePath: null });
    expect(codes(await finish(message))).toEqual([450, 250]);
    await over();
  });

  it('is refused with the reply for each recipient', async () => {
    const { delivery, over } = scripted([
      `${greeting()}
      C: MAIL FROM:<joe@example.com>
      S: 250 2.1.0 ok
      C: RCPT TO:<ann@example.org>
      S: 550 5.1.1 unknown
      C: RCPT TO:<eve@example.org>
      S: 450 4.2.1 busy`,
    ]);
    expect(codes(await finish(delivery.openMessage(envelope([ann, eve]))))).toEqual([550, 450]);
    await over();
  });
});

describe('the parameters of MAIL', () => {
  it('are sent if the server supports them', async () => {
    const { delivery, over } = scripted([
      `${greeting('SIZE 100000', '8BITMIME', 'SMTPUTF8', 'AUTH PLAIN')}
      C: MAIL FROM:<joe@example.com> SIZE=1124 BODY=8BITMIME SMTPUTF8 AUTH=e+3Dmc2@example.com
      S: 250 2.1.0 ok
      C: RCPT TO:<ann@example.org>
      S: 250 2.1.5 ok
      C: DATA
      S: 354 go${HELLO}`,
    ]);
    const parameters = { size: 100, body: '8BITMIME', smtpUtf8: true, auth: 'e=mc2@example.com' } as const;
    expect(await deliver(delivery, envelope([ann], parameters))).toEqual([250]);
    await over();
  });

  it('for notifications are sent unchanged', async () => {
    const { delivery, over } = scripted([
      `${greeting('DSN')}
      C: MAIL FROM:<joe@example.com> RET=HDRS ENVID=QQ314159+2B
      S: 250 2.1.0 ok
      C: RCPT TO:<ann@example.org> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;Ann@Example.com
      S: 250 2.1.5 ok
      C: RCPT TO:<eve@example.org> NOTIFY=NEVER
      S: 250 2.1.5 ok
      C: DATA
      S: 354 go${HELLO}`,
    ]);
    const [toAnn, toEve] = [
      { forwardPath: ann, parameters: { notify: ['SUCCESS', 'DELAY'], orcpt: 'rfc822;Ann@Example.com' } },
      { forwardPath: eve, parameters: { notify: 'NEVER' } },
    ] as const;
    const parameters = { ret: 'HDRS', envid: 'QQ314159+2B' } as const;
    expect(await deliver(delivery, { ...envelope([], parameters), recipients: [toAnn, toEve] })).toEqual([250, 250]);
    await over();
  });

  it('are left out if the server lacks them and the message does not need them', async () => {
    const { delivery, over } = scripted([`${greeting()}${TO_ANN}${HELLO}`]);
    const parameters = { size: 100, body: '7BIT', auth: 'ann@example.com', ret: 'FULL', envid: '1' } as const;
    expect(await deliver(delivery, envelope([ann], parameters))).toEqual([250]);
    await over();
  });

  it.each([
    [{ requireTls: true }, { code: 550, enhanced: '5.7.10' }],
    [{ body: 'BINARYMIME' } as const, { code: 554, enhanced: '5.6.3' }],
    [{ requireTls: true }, { code: 550, enhanced: '5.7.10' }],
  ])('refuse the message if the server lacks a needed extension: %j', async (parameters, reply) => {
    const { delivery, over, troubles } = scripted([`${greeting('SIZE')}${RSET}${TO_ANN}${HELLO}`]);
    await expect(deliver(delivery, envelope([ann], parameters))).rejects.toMatchObject({ reply });
    expect(await deliver(delivery, envelope([ann]))).toEqual([250]);
    expect(troubles).toEqual([]);
    await over();
  });
});

describe('a binary message', () => {
  const begin = (extensions: string) => `${greeting('BINARYMIME', extensions)}
    C: MAIL FROM:<joe@example.com> BODY=BINARYMIME
    S: 250 2.1.0 ok
    C: RCPT TO:<ann@example.org>
    S: 250 2.1.5 ok`;

  it('is sent in chunks, unchanged', async () => {
    const { delivery, over } = scripted([
      `${begin('CHUNKING')}
      C: BDAT 7 LAST
      C: .
      C: a\0
      S: 250 2.0.0 kept`,
    ]);
    const text = '.\r\na\0\r\n';
    expect(await deliver(delivery, envelope([ann], { body: 'BINARYMIME' }), text)).toEqual([250]);
    await over();
  });

  const line = 'xxxxxx\r\n';
  const refused = `${begin('CHUNKING')}
    C: BDAT 131072${'\nC: xxxxxx'.repeat(16_384)}
    S: 552 5.3.4 too large`;

  it('is aborted if the server refuses a chunk', async () => {
    const { delivery, over } = scripted([`${refused}\nC: <closed>`]);
    const sent = deliver(delivery, envelope([ann], { body: 'BINARYMIME' }), line.repeat(40_000));
    await expect(sent).rejects.toMatchObject({ reply: { code: 552, enhanced: '5.3.4' } });
    await over();
  });

  it('is refused if the last chunk but one was refused', async () => {
    const { delivery, over } = scripted([`${refused}\nC: RSET\nS: 250 2.0.0 ok`]);
    const sent = deliver(delivery, envelope([ann], { body: 'BINARYMIME' }), line.repeat(20_000));
    expect(await sent).toEqual([552]);
    await over();
  });
});

describe('an address with a line ending', () => {
  it('is not sent', async () => {
    const { delivery, over } = scripted([`${greeting()}\nC: MAIL FROM:<joe@example.com>\nS: 250 ok\nC: <closed>`]);
    const forged = new Mailbox('ann', 'example.org>\r\nRCPT TO:<eve@example.org');
    await expect(name(delivery, envelope([forged]))).rejects.toMatchObject({ reply: { code: 550 } });
    await over();
  });
});
