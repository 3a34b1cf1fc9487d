import { inspect } from 'node:util';
import { Mailbox } from '@postern/esmtp';
import { connectSmtp, SmtpProtocolError, SmtpReplyError } from '@postern/esmtp/client';
import { AuthenticationFailure, plainResponder } from '@postern/sasl/client';
import { describe, expect, it } from 'vitest';
import { scriptedServer } from './scripted-server.ts';

const HOSTNAME = 'client.example.com';
const joe = new Mailbox('joe', 'example.com');
const ann = new Mailbox('ann', 'example.com');
const eve = new Mailbox('eve', 'example.com');
const message = [Buffer.from('Subject: hi\r\n\r\n.a dot\r'), Buffer.from('\n.\r\nend')];

describe('connectSmtp', () => {
  it('stores the extensions, and ends with QUIT', async () => {
    const { transport, over } = scriptedServer(`
      S: 220 mx.example.com
      C: EHLO client.example.com
      S: 250-mx.example.com
      S: 250-SIZE 1000
      S: 250-auth=LOGIN
      S: 250-AUTH PLAIN LOGIN
      S: 250 PIPELINING
      C: QUIT
      S: 221 2.0.0 bye
      S: <close>
    `);
    const client = await connectSmtp(transport, { hostname: HOSTNAME, startTls: 'none' });
    expect(Object.fromEntries(client.extensions)).toEqual({ SIZE: '1000', AUTH: 'PLAIN LOGIN', PIPELINING: '' });
    await client.quit();
    await over;
  });

  it('reads an enhanced status code only of the reply’s class', async () => {
    const { transport } = scriptedServer('S: 554-5.3.2 no\nS: 554-4.3.2 not now\nS: 554 5.3.2.1 nor this');
    const refusal = connectSmtp(transport, { hostname: HOSTNAME });
    await expect(refusal).rejects.toMatchObject({
      reply: { enhanced: '5.3.2', lines: ['no', '4.3.2 not now', '5.3.2.1 nor this'] },
    });
    const { transport: other } = scriptedServer('S: 554 4.3.2 not now');
    await expect(connectSmtp(other, { hostname: HOSTNAME })).rejects.toMatchObject({
      reply: { enhanced: undefined, lines: ['4.3.2 not now'] },
    });
  });

  it('falls back to HELO', async () => {
    const { transport, over } = scriptedServer(`
      S: 220 old.example.com
      C: EHLO client.example.com
      S: 500 what?
      C: HELO client.example.com
      S: 250 old.example.com
    `);
    const client = await connectSmtp(transport, { hostname: HOSTNAME, startTls: 'offered' });
    expect(client.extensions.size).toBe(0);
    await over;
  });

  it('rejects if the server does not greet', async () => {
    const { transport } = scriptedServer('S: 554 5.3.2 closed for today');
    const refusal = connectSmtp(transport, { hostname: HOSTNAME });
    await expect(refusal).rejects.toBeInstanceOf(SmtpReplyError);
    await expect(refusal).rejects.toMatchObject({ command: 'greeting', reply: { code: 554, enhanced: '5.3.2' } });
  });

  it('starts TLS and forgets the extensions before it', async () => {
    const { transport, over } = scriptedServer(
      `
      S: 220 mx.example.com
      C: EHLO client.example.com
      S: 250-mx.example.com
      S: 250-AUTH LOGIN
      S: 250 STARTTLS
      C: STARTTLS
      S: 220 2.0.0 go ahead
      S: <starttls>
      C: EHLO client.example.com
      S: 250-mx.example.com
      S: 250 AUTH PLAIN
    `,
      { tlsPolicy: 'offered' },
    );
    const client = await connectSmtp(transport, { hostname: HOSTNAME });
    expect([...client.extensions]).toEqual([['AUTH', 'PLAIN']]);
    expect(client.channel.tls?.version).toBe('TLSv1.3');
    await over;
  });

  it('rejects if TLS is required and not offered', async () => {
    const { transport } = scriptedServer(`
      S: 220 mx.example.com
      C: EHLO client.example.com
      S: 250 mx.example.com
    `);
    await expect(connectSmtp(transport, { hostname: HOSTNAME })).rejects.toThrow('does not offer STARTTLS');
  });

  it('rejects if the server sends clear text after its 220', async () => {
    const { transport } = scriptedServer(
      `
      S: 220 mx.example.com
      C: EHLO client.example.com
      S: 250-mx.example.com
      S: 250 STARTTLS
      C: STARTTLS
      S: 220 2.0.0 go ahead
      S: 250 AUTH PLAIN
    `,
      { tlsPolicy: 'offered' },
    );
    await expect(connectSmtp(transport, { hostname: HOSTNAME })).rejects.toThrow(SmtpProtocolError);
  });

  it.each([
    ['no code', 'S: hello'],
    ['another code in the same reply', 'S: 220-mx.example.com\nS: 250 mx.example.com'],
    ['the end', 'S: <close>'],
  ])('rejects at %s', async (_what, script) => {
    const { transport } = scriptedServer(script);
    await expect(connectSmtp(transport, { hostname: HOSTNAME })).rejects.toThrow();
  });

  it('logs in, without a secret in the dialogue log', async () => {
    const lines: string[] = [];
    const { transport, over } = scriptedServer(`
      S: 220 mx.example.com
      C: EHLO client.example.com
      S: 250-mx.example.com
      S: 250 AUTH PLAIN
      C: AUTH PLAIN AGpvZQBzM2NyZXQ=
      S: 235 2.7.0 welcome
    `);
    await connectSmtp(transport, {
      hostname: HOSTNAME,
      startTls: 'none',
      allowCleartext: true,
      responders: [plainResponder({ username: 'joe', password: 's3cret' })],
      logDialogue: (speaker, line) => lines.push(`${speaker}: ${line}`),
    });
    expect(lines.slice(-2)).toEqual(['C: AUTH PLAIN ****', 'S: 235 2.7.0 welcome']);
    expect(lines.join('\n')).not.toContain('AGpvZQBzM2NyZXQ=');
    await over;
  });

  it.each([
    ['whole', '500 5.5.2 Unknown: AUTH PLAIN AGpvZQBzM2NyZXQ='],
    ['cut off', '535-5.7.8 Not you\n      S: 535 5.7.8 (AGpvZQBzM2N...)'],
  ])('masks a secret that the server repeats, %s', async (_how, answer) => {
    const lines: string[] = [];
    const { transport } = scriptedServer(`
      S: 220 mx.example.com
      C: EHLO client.example.com
      S: 250-mx.example.com
      S: 250 AUTH PLAIN
      C: AUTH PLAIN AGpvZQBzM2NyZXQ=
      S: ${answer}
    `);
    const login = connectSmtp(transport, {
      hostname: HOSTNAME,
      startTls: 'none',
      allowCleartext: true,
      responders: [plainResponder({ username: 'joe', password: 's3cret' })],
      logDialogue: (speaker, line) => lines.push(`${speaker}: ${line}`),
    });
    const error: unknown = await login.catch((failure: unknown) => failure);
    expect(lines.at(-1)).toMatch(/^S: 5\d\d 5\.\d\.\d \*{4}$/);
    expect(`${inspect(error, { depth: 5 })} ${lines.join()}`).not.toContain('AGpvZQBzM2N');
  });

  it('waits for the empty challenge if the initial response is too long for the line', async () => {
    const password = 'x'.repeat(600);
    const response = Buffer.from(`\0joe\0${password}`).toString('base64');
    const { transport, over } = scriptedServer(`
      S: 220 mx.example.com
      C: EHLO client.example.com
      S: 250-mx.example.com
      S: 250 AUTH PLAIN
      C: AUTH PLAIN
      S: 334 ${''}
      C: ${response}
      S: 535 5.7.8 no
    `);
    const login = connectSmtp(transport, {
      hostname: HOSTNAME,
      startTls: 'none',
      allowCleartext: true,
      responders: [plainResponder({ username: 'joe', password })],
    });
    await expect(login).rejects.toThrow(AuthenticationFailure);
    await over;
  });
});

describe('a message', () => {
  const opening = `
    S: 220 mx.example.com
    C: EHLO client.example.com
    S: 250-mx.example.com
    S: 250-SIZE 1000
    S: 250-8BITMIME
    S: 250 PIPELINING`;

  async function send(script: string, options: { lmtp?: boolean } = {}) {
    const { transport, over } = scriptedServer(script);
    const client = await connectSmtp(transport, { hostname: HOSTNAME, startTls: 'none', ...options });
    const sent = client.send({ from: joe, to: [ann, eve], parameters: { size: 30, body: '8BITMIME' } }, message);
    await Promise.allSettled([sent]);
    return { sent, over };
  }

  it('is dot-stuffed, and its envelope is one group', async () => {
    const { sent, over } = await send(`${opening}
      C: MAIL FROM:<joe@example.com> SIZE=30 BODY=8BITMIME
      C: RCPT TO:<ann@example.com>
      C: RCPT TO:<eve@example.com>
      C: DATA
      S: 250 2.1.0 ok
      S: 250 2.1.5 ok
      S: 550 5.1.1 unknown
      S: 354 go
      C: Subject: hi
      C:
      C: ..a dot
      C: ..
      C: end
      C: .
      S: 250 2.0.0 kept`);
    await over;
    expect((await sent).map(({ code }) => code)).toEqual([250, 550]);
  });

  it('gets a reply for each recipient by LMTP', async () => {
    const { sent, over } = await send(
      `${opening.replace('EHLO', 'LHLO')}
      C: MAIL FROM:<joe@example.com> SIZE=30 BODY=8BITMIME
      C: RCPT TO:<ann@example.com>
      C: RCPT TO:<eve@example.com>
      C: DATA
      S: 250 2.1.0 ok
      S: 250 2.1.5 ok
      S: 250 2.1.5 ok
      S: 354 go
      C: Subject: hi
      C:
      C: ..a dot
      C: ..
      C: end
      C: .
      S: 250 2.0.0 kept
      S: 452 4.2.2 full`,
      { lmtp: true },
    );
    await over;
    expect((await sent).map(({ code }) => code)).toEqual([250, 452]);
  });

  it('is empty if a server accepts DATA without a recipient', async () => {
    const { sent, over } = await send(`${opening}
      C: MAIL FROM:<joe@example.com> SIZE=30 BODY=8BITMIME
      C: RCPT TO:<ann@example.com>
      C: RCPT TO:<eve@example.com>
      C: DATA
      S: 250 2.1.0 ok
      S: 550 5.1.1 unknown
      S: 450 4.2.1 busy
      S: 354 go
      C: .
      S: 554 5.5.1 nobody
      C: RSET
      S: 250 2.0.0 ok`);
    await over;
    await expect(sent).rejects.toMatchObject({ command: 'RCPT', reply: { code: 550 } });
  });

  it('stops at a refused sender without PIPELINING', async () => {
    const { sent, over } = await send(`${opening.replace('250 PIPELINING', '250 HELP')}
      C: MAIL FROM:<joe@example.com> SIZE=30 BODY=8BITMIME
      S: 452 4.3.1 full
      C: RSET
      S: 250 2.0.0 ok`);
    await over;
    await expect(sent).rejects.toMatchObject({ command: 'MAIL', reply: { code: 452 } });
  });

  it('is refused by a server that disconnects at once', async () => {
    const { sent, over } = await send(`${opening.replace('250 PIPELINING', '250 HELP')}
      C: MAIL FROM:<joe@example.com> SIZE=30 BODY=8BITMIME
      S: 554 5.7.1 not you
      S: <close>`);
    await over;
    await expect(sent).rejects.toMatchObject({ command: 'MAIL', reply: { code: 554 } });
  });

  it('declares SMTPUTF8 for its addresses, or is not sent', async () => {
    const jürgen = new Mailbox('jürgen', 'example.com');
    for (const envelope of [
      { from: jürgen, to: [ann] },
      { from: joe, to: [ann, jürgen] },
      { from: null, to: [{ forwardPath: jürgen, parameters: {} }] },
    ]) {
      const { transport } = scriptedServer(opening);
      const client = await connectSmtp(transport, { hostname: HOSTNAME, startTls: 'none' });
      await expect(client.open(envelope)).rejects.toMatchObject({ code: 'unsupported', extension: 'SMTPUTF8' });
    }
    const { transport, over } = scriptedServer(`${opening.replace('250 PIPELINING', '250 SMTPUTF8')}
      C: MAIL FROM:<joe@example.com> SMTPUTF8
      S: 250 2.1.0 ok
      C: RCPT TO:<${Buffer.from('jürgen').toString('latin1')}@example.com>
      S: 250 2.1.5 ok
      C: DATA
      S: 354 go`);
    const client = await connectSmtp(transport, { hostname: HOSTNAME, startTls: 'none' });
    await client.open({ from: joe, to: [jürgen] });
    await over;
  });

  it('is aborted if it has a bare line ending', async () => {
    const { transport } = scriptedServer(`${opening}
      C: MAIL FROM:<joe@example.com>
      C: RCPT TO:<ann@example.com>
      C: DATA
      S: 250 2.1.0 ok
      S: 250 2.1.5 ok
      S: 354 go
      C: <closed>`);
    const client = await connectSmtp(transport, { hostname: HOSTNAME, startTls: 'none' });
    const sent = client.send({ from: joe, to: [ann] }, [Buffer.from('one\n.\r\nMAIL FROM:<eve@example.com>\r\n')]);
    await expect(sent).rejects.toThrow('outside a CRLF');
  });

  it('is sent in groups of 100 commands with PIPELINING', async () => {
    const recipients = Array.from({ length: 150 }, (_, at) => new Mailbox(`r${at}`, 'example.com'));
    const asked = recipients.map((mailbox) => `C: RCPT TO:<${mailbox.toString()}>`);
    const said = recipients.map(() => 'S: 250 2.1.5 ok');
    const { transport, over } = scriptedServer(
      [
        ...opening.trim().split('\n'),
        'C: MAIL FROM:<joe@example.com>',
        ...asked.slice(0, 99),
        'S: 250 2.1.0 ok',
        ...said.slice(0, 99),
        ...asked.slice(99),
        'C: DATA',
        ...said.slice(99),
        'S: 354 go',
        'C: .',
        'S: 250 2.0.0 kept',
      ].join('\n'),
    );
    const client = await connectSmtp(transport, { hostname: HOSTNAME, startTls: 'none' });
    const replies = await client.send({ from: joe, to: recipients }, []);
    expect(replies.filter(({ code }) => code === 250)).toHaveLength(150);
    await over;
  });

  it('fails if a server replies 354 to the message', async () => {
    const { transport } = scriptedServer(`${opening}
      C: MAIL FROM:<joe@example.com>
      C: RCPT TO:<ann@example.com>
      C: DATA
      S: 250 2.1.0 ok
      S: 250 2.1.5 ok
      S: 354 go
      C: .
      S: 354 go on`);
    const client = await connectSmtp(transport, { hostname: HOSTNAME, startTls: 'none' });
    await expect(client.send({ from: joe, to: [ann] }, [])).rejects.toThrow(SmtpProtocolError);
  });
});
