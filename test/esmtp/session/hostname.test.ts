import type { Mind } from '@postern/cred';
import { describe, expect, test } from 'vitest';
import { ENVELOPE, LOGIN, Server } from '../server.ts';

/** Two domains on one listener: the TLS server name chooses. */
const byServerName = ({ tls }: Mind): string => (tls?.serverName === 'b.example' ? 'b.example' : 'a.example');

describe('a hostname that is a function of the mind', () => {
  test('is in the greeting, and in the replies to EHLO, HELO and QUIT', async () => {
    const server = new Server({ hostname: byServerName });
    await server.play(`
      S: 220 a.example ESMTP
      C: EHLO client.example.org
      S: 250-a.example
      S: 250...
      C: HELO client.example.org
      S: 250 a.example
      C: QUIT
      S: 221 2.0.0 a.example closing the connection`);
  });

  test('differs between connections to one server', async () => {
    const server = new Server({ hostname: ({ remote }) => `${remote.address.replaceAll('.', '-')}.example` });
    const play = (address: string): Promise<string> =>
      server.play(
        `S: 220 ${address.replaceAll('.', '-')}.example ESMTP\nC: EHLO c\nS: 250-${address.replaceAll('.', '-')}.example\nS: 250...`,
        { client: { family: 'IPv4', address, port: 40_000 } },
      );
    await play('192.0.2.1');
    await play('192.0.2.2');
    await play('192.0.2.1');
  });

  test('is chosen again after STARTTLS', async () => {
    let calls = 0;
    const server = new Server({ hostname: ({ tls }) => `${++calls}${tls === undefined ? 'clear' : 'tls'}.example` });
    await server.play(
      `
      S: 220 1clear.example ESMTP
      C: EHLO client.example.org
      S: 250-1clear.example
      S: 250...
      C: STARTTLS
      S: 220...
      C: <starttls>
      C: EHLO client.example.org
      S: 250-2tls.example
      S: 250...
      C: QUIT
      S: 221 2.0.0 2tls.example closing the connection`,
      { tlsPolicy: 'offered' },
    );
    expect(calls).toBe(2);
  });

  test('is chosen again after XCLIENT', async () => {
    const server = new Server({
      hostname: ({ local }) => (local.address === '203.0.113.7' ? 'b.example' : 'a.example'),
      xclient: () => true,
    });
    await server.play(`
      S: 220 a.example ESMTP
      C: XCLIENT ADDR=198.51.100.1 DESTADDR=203.0.113.7
      S: 220 b.example ESMTP
      C: EHLO client.example.org
      S: 250-b.example
      S: 250...`);
  });

  test('is in the Received field and the Message-ID', async () => {
    const server = new Server({ hostname: () => 'b.example', addMissingHeaders: true });
    await server.play(
      `S: 220 b.example ESMTP\nC: EHLO client.example.org\nS: 250...${LOGIN}${ENVELOPE}\nC: DATA\nS: 354...\nC: Subject: x\nC: .\nS: 250...`,
    );
    const text = server.delivery.delivered[0]?.text;
    expect(text).toMatch(/\bby b\.example\b/);
    expect(text).toMatch(/^Message-ID: <\w+@b\.example>\r$/m);
  });

  test('is in the challenge of CRAM-MD5', async () => {
    const server = new Server({ hostname: () => 'b.example' });
    const transcript = await server.play(
      'S: 220 b.example ESMTP\nC: EHLO c\nS: 250...\nC: AUTH CRAM-MD5\nS: 334...\nC: *\nS: 501...',
    );
    const challenge = /334 (\S+)/.exec(transcript)?.[1] ?? '';
    expect(Buffer.from(challenge, 'base64').toString()).toMatch(/@b\.example>$/);
  });

  test('chooses the mechanisms, where they are a function of it', async () => {
    const names: string[] = [];
    const server = new Server({
      hostname: byServerName,
      challengers: (hostname) => {
        names.push(hostname);
        return [];
      },
      authentication: 'optional',
      allowAnonymous: true,
    });
    const script = 'S: 220 a.example ESMTP\nC: EHLO c\nS: 250...\nC: AUTH PLAIN =\nS: 504...';
    await server.play(script);
    await server.play(script);
    expect(names).toEqual(['localhost', 'a.example']);
  });

  test.each([
    [
      'fails',
      (): string => {
        throw new Error('no such domain');
      },
    ],
    ['returns a name that is not a domain', (): string => 'no domain'],
    ['returns undefined', (): string => undefined as never],
    ['returns a promise', (): string => Promise.reject(new Error('no such domain')) as never],
  ])('that %s is 421, and an error of the operator', async (_, hostname) => {
    const server = new Server({ hostname });
    await server.play('S: 421 4.3.5 System incorrectly configured, closing the connection\nS: <closed>');
    expect(server.events).toMatchObject([
      { kind: 'connected' },
      { kind: 'error', culprit: 'operator', during: 'session' },
      { kind: 'closed', reason: 'disconnected', reply: { code: 421 } },
    ]);
  });

  test('closes the connection if it fails after STARTTLS', async () => {
    const server = new Server({ hostname: ({ tls }) => (tls === undefined ? 'a.example' : '') });
    await server.play(
      `S: 220 a.example ESMTP\nC: STARTTLS\nS: 220...\nC: <starttls>\nC: EHLO client\nS: 421 4.3.5...\nS: <closed>`,
      { tlsPolicy: 'offered' },
    );
  });
});

test.each(['', 'no domain', 'ä.example', '[192.0.2]', undefined])(
  'hostname %j is an error of the options',
  (hostname) => {
    expect(() => new Server({ hostname: hostname as string })).toThrow(
      /^hostname: expected an ASCII domain or an address literal, not /,
    );
  },
);
