import { inspect } from 'node:util';
import { Mailbox } from '@postern/esmtp';
import { connectSmtp, ehloName, SmtpProtocolError, SmtpReplyError } from '@postern/esmtp/client';
import { loginResponder, plainResponder } from '@postern/sasl/client';
import { memoryPipe } from '@postern/testing';
import { describe, expect, it } from 'vitest';
import { scriptedServer } from './scripted-server.ts';

const HOSTNAME = 'client.example.com';
const ann = new Mailbox('ann', 'example.com');
const eve = new Mailbox('eve', 'example.com');
const user = { username: 'joe', password: 's3cret' };

const ehlo = (...extensions: readonly string[]): string =>
  [
    'S: 220 mx.example.com',
    `C: EHLO ${HOSTNAME}`,
    ...['mx.example.com', ...extensions].map((line) => `S: 250-${line}`),
    'S: 250 HELP',
  ].join('\n');

function connect(script: string) {
  const lines: string[] = [];
  const { transport, over } = scriptedServer(script);
  const client = connectSmtp(transport, {
    hostname: HOSTNAME,
    startTls: 'none',
    allowCleartext: true,
    logDialogue: (speaker, line) => lines.push(`${speaker}: ${line}`),
  });
  return { client, over, lines };
}

function logIn(script: string) {
  const lines: string[] = [];
  const { transport, over } = scriptedServer(script);
  const login = connectSmtp(transport, {
    hostname: HOSTNAME,
    startTls: 'none',
    allowCleartext: true,
    responders: [plainResponder(user), loginResponder(user)],
    logDialogue: (speaker, line) => lines.push(`${speaker}: ${line}`),
  });
  return { login, over, lines };
}

/** Connects to a server that says exactly these octets and closes. */
async function hear(octets: string, how: 'end' | 'destroy' = 'end'): Promise<unknown> {
  const { client, server } = memoryPipe();
  void server.write(octets);
  server[how]();
  return await connectSmtp(client, { hostname: HOSTNAME }).then(
    () => undefined,
    (error: unknown) => error,
  );
}

describe('the last reply of a server', () => {
  it.each([
    ['without a line end', '554 5.7.1 go away', ['go away']],
    ['with half a line end', '554 5.7.1 go away\r', ['go away\r']],
    ['without a last line', '554-5.7.1 go away\r\n554-5.7.1 you\r\n', ['go away', 'you']],
    ['with a last line that is cut off', '554-5.7.1 go away\r\n554 5.7.1 y', ['go away', 'y']],
    ['with another code in the last line', '220-hello\r\n554 5.7.1 go away\r\n', ['hello', 'go away']],
  ])('is a refusal %s', async (_how, octets, words) => {
    const error = await hear(octets);
    expect(error).toBeInstanceOf(SmtpReplyError);
    expect(error).toMatchObject({ command: 'greeting', reply: { code: 554, enhanced: '5.7.1' } });
    expect((error as SmtpReplyError).reply.lines).toEqual(words.map((line) => line.replace('\r', '?')));
  });

  it.each([
    ['a success without a line end', '220 mx.exam', 'the peer left in the middle of a line'],
    [
      'a success without a last line',
      '220-hello\r\n220-you\r\n',
      'the server closed the connection: 220-hello\n220-you',
    ],
    [
      'a success after a refusal',
      '554-no\r\n220 yes\r\n',
      'the server changed the code within a reply: 554-no\n220 yes',
    ],
    ['no reply', 'SSH-2.0-OpenSSH_9.9\r\n', 'the server sent a line that is no reply: SSH-2.0-OpenSSH_9.9'],
    ['nothing', '', 'the server closed the connection'],
  ])('is no success if it is %s', async (_what, octets, message) => {
    expect(await hear(octets)).toMatchObject({ message });
  });

  it('is heard after a command that could not be sent', async () => {
    const { client, server } = memoryPipe();
    const opened = connectSmtp(client, { hostname: HOSTNAME, startTls: 'none' });
    await server.write(`220 mx\r\n250 mx\r\n250 ok\r\n250 ok\r\n354 go\r\n`);
    const smtp = await opened;
    const outgoing = await smtp.open({ from: null, to: [ann] });
    await server.write('552 5.3.4 too large\r\n');
    server.end();
    const broken = client.write.bind(client);
    client.write = () => Promise.reject(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
    const written = outgoing.write(Buffer.from('x\r\n')).then(() => outgoing.write(Buffer.from('x\r\n')));
    await expect(written).rejects.toMatchObject({ command: 'message', reply: { code: 552, enhanced: '5.3.4' } });
    client.write = broken;
  });

  it('is quoted in part, and without the secret', async () => {
    const { login } = logIn(`${ehlo('AUTH PLAIN')}\nC: AUTH PLAIN AGpvZQBzM2NyZXQ=\nS: AUTH PLAIN AGpvZQBzM2NyZXQ=`);
    const error: unknown = await login.catch((failure: unknown) => failure);
    expect(error).toMatchObject({ message: 'the server sent a line that is no reply: ****' });
    expect(inspect(error, { depth: 5 })).not.toContain('AGpvZQBzM2N');
    expect(((await hear(`${'x'.repeat(5_000)}\r\n`)) as Error).message.length).toBeLessThan(600);
  });
});

describe('a 421', () => {
  it('ends a login, without another mechanism', async () => {
    const { login, over, lines } = logIn(
      `${ehlo('AUTH PLAIN LOGIN')}\nC: AUTH PLAIN AGpvZQBzM2NyZXQ=\nS: 421 4.7.0 too many logins\nC: <closed>`,
    );
    await expect(login).rejects.toBeInstanceOf(SmtpReplyError);
    await expect(login).rejects.toMatchObject({ command: 'AUTH', reply: { code: 421, lines: ['too many logins'] } });
    expect(lines.at(-1)).toBe('S: 421 4.7.0 too many logins');
    await over;
  });

  it('ends a cancelled login', async () => {
    const { login, over } = logIn(
      `${ehlo('AUTH PLAIN LOGIN')}\nC: AUTH PLAIN AGpvZQBzM2NyZXQ=\nS: 334 Pw==\nC: *\nS: 421 4.7.0 enough\nC: <closed>`,
    );
    await expect(login).rejects.toMatchObject({ command: 'AUTH', reply: { code: 421, lines: ['enough'] } });
    await over;
  });

  it.each([
    ['MAIL', ['421 4.3.2 closing']],
    ['RCPT', ['250 ok', '250 ok', '421 4.3.2 closing']],
    ['DATA', ['250 ok', '250 ok', '250 ok', '421 4.3.2 closing']],
  ])('counts for the commands after %s, with and without PIPELINING', async (command, answers) => {
    const commands = ['MAIL FROM:<>', 'RCPT TO:<ann@example.com>', 'RCPT TO:<eve@example.com>', 'DATA'];
    const pipelined = [...commands.map((line) => `C: ${line}`), ...answers.map((line) => `S: ${line}`)];
    const oneByOne = answers.flatMap((answer, index) => [`C: ${commands[index]}`, `S: ${answer}`]);
    for (const dialogue of [
      [ehlo('PIPELINING'), ...pipelined],
      [ehlo(), ...oneByOne],
    ]) {
      const { client, over } = connect([...dialogue, 'S: <close>'].join('\n'));
      const opened = (await client).open({ from: null, to: [ann, eve] });
      await expect(opened).rejects.toMatchObject({ command, reply: { code: 421, lines: ['closing'] } });
      await over;
    }
  });

  it('to a message by LMTP counts for the later recipients', async () => {
    const script = ehlo('PIPELINING').replace('EHLO', 'LHLO');
    const { transport, over } = scriptedServer(
      `${script}\nC: MAIL FROM:<>\nC: RCPT TO:<ann@example.com>\nC: RCPT TO:<eve@example.com>\nC: DATA
      S: 250 ok\nS: 250 ok\nS: 250 ok\nS: 354 go\nC: .\nS: 421 4.3.2 closing`,
    );
    const client = await connectSmtp(transport, { hostname: HOSTNAME, startTls: 'none', lmtp: true });
    const replies = await client.send({ from: null, to: [ann, eve] }, []);
    expect(replies.map(({ code }) => code)).toEqual([421, 421]);
    await over;
  });
});

describe('the mechanisms that a server offers', () => {
  it.each([
    ['several AUTH lines', ['AUTH PLAIN', 'auth LOGIN  CRAM-MD5'], ['PLAIN', 'LOGIN', 'CRAM-MD5']],
    ['the standard form over the one with =', ['AUTH=LOGIN', 'AUTH PLAIN'], ['PLAIN']],
    ['the standard form, in the other order', ['AUTH PLAIN', 'AUTH=LOGIN'], ['PLAIN']],
    ['the form with = alone', ['AUTH=LOGIN', 'AUTH=PLAIN'], ['LOGIN', 'PLAIN']],
    ['an empty list', ['AUTH'], []],
  ])('are %s', async (_what, extensions, offered) => {
    const { client } = connect(ehlo(...extensions));
    expect((await client).channel.offered).toEqual(offered);
  });
});

describe('the name in EHLO', () => {
  it.each([
    ['mail.example.com', 'IPv4', '192.0.2.1', 'mail.example.com'],
    ['[192.0.2.9]', 'IPv4', '192.0.2.1', '[192.0.2.9]'],
    ['laptop', 'IPv4', '192.0.2.1', '[192.0.2.1]'],
    ['localhost', 'IPv6', '::1', '[IPv6:::1]'],
    ['müller.example', 'IPv6', 'fe80::1%eth0', '[IPv6:fe80::1]'],
    [undefined, 'unix', '/run/lmtp', '[127.0.0.1]'],
  ] as const)('is, of %s on %s %s, %s', (hostname, family, address, name) => {
    expect(ehloName(hostname, { family, address, port: 0 })).toBe(name);
  });

  it('is the address literal without a name', async () => {
    const { transport, over } = scriptedServer('S: 220 mx\nC: EHLO [192.0.2.1]\nS: 250 mx');
    await connectSmtp(transport, { startTls: 'none' });
    await over;
  });
});

it('a refusal of several lines is kept and printed as lines', async () => {
  const error = await hear('554-5.7.1 first\r\n554 5.7.1 second\r\n');
  expect(error).toMatchObject({ message: 'greeting was refused: 554-5.7.1 first\n554 5.7.1 second' });
  expect(error).not.toBeInstanceOf(SmtpProtocolError);
});
