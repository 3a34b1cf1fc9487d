import { describe, expect, test } from 'vitest';
import { GREETED, LOGIN, Server } from '../server.ts';

const STLS = `
      C: STLS
      S: +OK begin TLS negotiation
      C: <starttls>`;

describe('STLS', () => {
  test('starts TLS, and the session forgets what came in the clear', async () => {
    const server = new Server({ mechanismPolicy: { allowCleartext: true } });
    await server.play(
      `${GREETED}
      C: USER ann
      S: +OK send PASS${STLS}
      C: PASS secret
      S: -ERR send USER first
      C: STLS
      S: -ERR command not permitted when TLS active
      C: USER ann
      S: +OK send PASS
      C: PASS secret
      S: +OK <any>
    `,
      { tlsPolicy: 'offered' },
    );
    expect(server.kinds()).toContain('tls-started');
  });

  test('with pipelined commands closes the connection (CVE-2011-0411)', async () => {
    await new Server().play(
      `${GREETED}
      C: STLS
      C: USER ann
      S: -ERR nothing may be sent behind STLS before TLS is up
      S: <closed>
    `,
      { tlsPolicy: 'offered' },
    );
  });

  test('is required before a login by an endpoint that requires TLS', async () => {
    await new Server().play(
      `${GREETED}
      C: USER ann
      S: -ERR encryption required, issue STLS first
      C: APOP ann c4c9334bac560ecc979e58001b3e22fb
      S: -ERR encryption required, issue STLS first
      C: AUTH CRAM-MD5
      S: -ERR encryption required, issue STLS first
      C: AUTH
      S: -ERR encryption required, issue STLS first
      C: UTF8
      S: -ERR encryption required, issue STLS first${STLS}
      C: UTF8
      S: +OK UTF8 enabled
    `,
      { tlsPolicy: 'required' },
    );
  });

  test('is not available without TLS, with implicit TLS and after the login', async () => {
    await new Server().play(`${GREETED}\nC: STLS\nS: -ERR TLS is not available`, { tlsPolicy: 'none' });
    await new Server().play(`${GREETED}\nC: STLS\nS: -ERR command not permitted when TLS active`);
    const server = new Server({ mechanismPolicy: { allowCleartext: true } });
    await server.play(`${LOGIN}\nC: STLS\nS: -ERR command not valid after login`, { tlsPolicy: 'offered' });
  });

  test('chooses the hostname again', async () => {
    const hostname = ({ tls }: { readonly tls: unknown }) =>
      tls === undefined ? 'plain.example.com' : 'tls.example.com';
    const server = new Server({ hostname });
    let challenge = '';
    await server.play(
      `S: +OK plain.example.com POP3 server ready <any>${STLS}
      C: AUTH CRAM-MD5
      S: + {challenge}
      C: {name}
      S: -ERR malformed authentication response
    `,
      {
        tlsPolicy: 'offered',
        values: {
          name: (captured) => {
            challenge = Buffer.from(captured.get('challenge') ?? '', 'base64').toString();
            return Buffer.from('ann').toString('base64');
          },
        },
      },
    );
    expect(challenge).toMatch(/@tls\.example\.com>$/);
  });
});

test('a hostname that fails closes the connection with an error of the operator', async () => {
  const server = new Server({
    hostname: () => {
      throw new Error('no such name');
    },
  });
  await server.play(`
    S: -ERR [SYS/PERM] system incorrectly configured
    S: <closed>
  `);
  expect(server.events).toContainEqual(expect.objectContaining({ kind: 'error', culprit: 'operator' }));
});
