import type { Checker } from '@postern/cred';
import { checker, LoginDenied, TemporaryFailure, UsernamePassword } from '@postern/cred';
import { describe, expect, test } from 'vitest';
import { ToyServer } from './toy.ts';

const AUTH = 'C: AUTH PLAIN {base64:\\0ann\\0secret}\n';
const WRONG = 'C: AUTH PLAIN {base64:\\0ann\\0wrong}\n';
const GREETING = 'S: +OK toy.example\n';
const tls = { tlsPolicy: 'implicit' } as const;

describe('AUTH', () => {
  test('logs the client in, with the mechanism and the user in one event', async () => {
    const server = new ToyServer();
    await server.play(
      `${GREETING}C: AUTH login\nS: + {base64:Username:}\nC: {base64:ann}\nS: + {base64:Password:}\nC: {base64:secret}\nS: +OK hello\nC: <end>`,
      tls,
    );
    expect(server.events[1]).toMatchObject({ kind: 'authenticated', mechanism: 'LOGIN', avatarId: 'ann' });
  });

  test.each([
    ['needs-tls', 'C: AUTH PLAIN =\n', {}, 'command-refused'],
    ['needs-tls', 'C: AUTH PLAIN =\n', { tlsPolicy: 'required' }, 'command-refused'],
    ['not-offered', 'C: AUTH X-FOO\n', tls, 'command-refused'],
    ['cancelled', 'C: AUTH PLAIN\nS: + \nC: *\n', tls, 'login-refused'],
    ['malformed', 'C: AUTH PLAIN ===\n', tls, 'login-refused'],
    ['too-long', 'C: AUTH PLAIN {repeat:600:A}\n', tls, 'login-refused'],
    ['failed', WRONG, tls, 'login-refused'],
  ] as const)('is refused as %s: one event, with the reply of the client', async (refusal, lines, options, kind) => {
    const server = new ToyServer({ limits: { maxExchangeLine: 510 } });
    await server.play(`${GREETING}${lines}C: <advance 250ms>\nS: -ERR ${refusal}\nC: <end>`, {
      client: REMOTE,
      ...options,
    });
    expect(server.events.map((event) => event.kind)).toEqual(['connected', kind, 'closed']);
    expect(server.events[1]).toMatchObject({ reply: `-ERR ${refusal}` });
  });

  test.each([
    ['mechanism-too-weak', 'mechanism-too-weak'],
    ['transition-needed', 'transition-needed'],
    ['too-many', 'throttled'],
    ['disabled', 'failed'],
    ['expired', 'failed'],
    ['not-authorized', 'failed'],
    ['policy', 'failed'],
  ] as const)('denied as %s is %s', async (reason, refusal) => {
    const server = new ToyServer({ checker: throwing(new LoginDenied(reason)) });
    await server.play(`${GREETING}${AUTH}C: <advance 1s>\nS: -ERR ${refusal}\nC: <end>`, tls);
  });

  test('that a checker defers is one error and one refusal', async () => {
    const server = new ToyServer({ checker: throwing(new TemporaryFailure('the database is gone')) });
    await server.play(`${GREETING}${AUTH}C: <advance 1s>\nS: -ERR deferred\nC: <end>`, tls);
    expect(server.events).toMatchObject([
      { kind: 'connected' },
      { kind: 'error', culprit: 'us', during: 'AUTH' },
      { kind: 'command-refused', verb: 'AUTH', reply: '-ERR deferred' },
      { kind: 'closed' },
    ]);
  });

  test('that is cancelled counts as an error, and a wrong password does not', async () => {
    const server = new ToyServer({ limits: { maxErrors: 2 } });
    const cancelled = 'C: AUTH PLAIN\nS: + \nC: *\n';
    const wrong = `${WRONG}C: <advance 250ms>\nS: -ERR failed\n`;
    await server.play(
      `${GREETING}${wrong}${wrong}${cancelled}S: -ERR cancelled\n${cancelled}S: -ERR too-many-errors\nS: <closed>`,
      tls,
    );
  });

  test('closes the connection at maxLoginFailures', async () => {
    const server = new ToyServer({ limits: { maxLoginFailures: 2 } });
    await server.play(
      `${GREETING}${WRONG}C: <advance 250ms>\nS: -ERR failed\n${WRONG}C: <advance 250ms>\nS: -ERR too-many-failures\nS: <closed>`,
      tls,
    );
    expect(server.log.at(-1)).toBe('closed disconnected');
  });

  test('closes the connection behind a response with a bare line feed', async () => {
    const server = new ToyServer();
    await server.play(
      String.raw`${GREETING}C: AUTH PLAIN
S: + 
C: a\nb
S: -ERR malformed
S: <closed>`,
      tls,
    );
  });

  test('names the user only with logUsernames', async () => {
    const script = `${GREETING}${WRONG}C: <advance 250ms>\nS: -ERR failed\nC: <end>`;
    const silent = new ToyServer();
    await silent.play(script, tls);
    expect(silent.events[1]).not.toHaveProperty('username');
    const server = new ToyServer({ logUsernames: true });
    await server.play(script, tls);
    expect(server.events[1]).toMatchObject({ kind: 'login-refused', username: 'ann' });
  });
});

describe('the beginning of an avatar', () => {
  test('comes before the event and the reply of the login', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const server = new ToyServer({ begin: () => promise });
    server.clock.after(1_000, resolve);
    server.clock.after(999, () => expect(server.log).toEqual(['connected']));
    await server.play(`${GREETING}${AUTH}S: <silence>\nC: <advance 1s>\nS: +OK hello\nC: <end>`, tls);
    expect(server.log[1]).toBe('authenticated');
  });

  test.each([
    [
      'throws',
      () => {
        throw new LoginDenied('policy');
      },
    ],
    ['rejects', () => Promise.reject(new LoginDenied('policy'))],
  ])('that %s a LoginError refuses the login, and logs the user out', async (_, begin) => {
    const server = new ToyServer({ begin });
    await server.play(`${GREETING}${AUTH}S: -ERR failed\n${AUTH}S: -ERR failed\nC: <end>`, tls);
    expect(server.log).toEqual([
      'connected',
      'login-refused -ERR failed',
      'login-refused -ERR failed',
      'closed disconnected',
    ]);
    expect(server.avatar.logouts).toEqual(['reset', 'reset']);
  });

  test('that fails otherwise is an error of this server', async () => {
    const server = new ToyServer({ begin: () => Promise.reject(new Error('no disk')) });
    await server.play(`${GREETING}${AUTH}S: -ERR failed AUTH\nC: <end>`, tls);
    expect(server.events.slice(1)).toMatchObject([
      { kind: 'error', culprit: 'us', during: 'AUTH' },
      { kind: 'command-refused', verb: 'AUTH' },
      { kind: 'closed' },
    ]);
    expect(server.avatar.logouts).toEqual(['reset']);
  });
});

describe('STARTTLS', () => {
  test('begins the session again, without the login', async () => {
    const server = new ToyServer({ hostname: ({ tls: info }) => (info === undefined ? 'toy.example' : 'tls.example') });
    await server.play(
      `${GREETING}C: STARTTLS\nS: +OK go\nC: <starttls>\nC: NAME\nS: +OK tls.example\n${AUTH}S: +OK hello\nC: <end>`,
      { tlsPolicy: 'offered', client: REMOTE },
    );
    expect(server.log).toEqual(['connected', 'tls-started', 'authenticated', 'closed disconnected']);
  });

  test.each([
    ['active', tls],
    ['not-available', {}],
  ] as const)('is refused as %s', async (obstacle, options) => {
    await new ToyServer().play(`${GREETING}C: STARTTLS\nS: -ERR ${obstacle}\nC: ECHO 1\nS: +OK 1\nC: <end>`, options);
  });

  test('closes the connection of a client that sends more behind it', async () => {
    const server = new ToyServer();
    await server.play(`${GREETING}C: STARTTLS\nC: ECHO 1\nS: -ERR pipelined\nS: <closed>`, { tlsPolicy: 'offered' });
    expect(server.log).toEqual(['connected', 'command-refused -ERR pipelined', 'closed disconnected']);
  });

  test('with a failed handshake is an error of the client, and ends the session', async () => {
    const server = new ToyServer();
    await server.play(`${GREETING}C: STARTTLS\nS: +OK go\nC: <reset>`, { tlsPolicy: 'offered' });
    expect(server.events).toMatchObject([
      { kind: 'connected' },
      { kind: 'error', culprit: 'client', during: 'STARTTLS' },
      { kind: 'closed', reason: 'disconnected', reply: undefined },
    ]);
  });
});

const REMOTE = { family: 'IPv4', address: '192.0.2.7', port: 40_000 } as const;

function throwing(error: Error): Checker<UsernamePassword> {
  return checker([UsernamePassword], () => {
    throw error;
  });
}
