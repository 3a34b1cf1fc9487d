import { describe, expect, test } from 'vitest';
import { GREETED, LOGIN, Server } from '../server.ts';

describe('a client that is silent', () => {
  test('is logged out after ten minutes without a reply, and nothing is removed (RFC 1939 §3)', async () => {
    const server = new Server();
    await server.play(`${LOGIN}
      C: DELE 1
      S: +OK message 1 deleted
      C: <advance 599s>
      S: <silence>
      C: <advance 1s>
      S: <closed>
    `);
    expect(server.mailbox.calls).toEqual(['logout']);
    expect(server.events.at(-1)).toMatchObject({ kind: 'closed', reason: 'timeout', reply: undefined });
  });

  test('has three minutes for its login, whatever it sends', async () => {
    await new Server().play(`${GREETED}
      C: <advance 100s>
      C: USER ann
      S: +OK send PASS
      C: <advance 80s>
      S: <closed>
    `);
  });

  test('within an exchange is disconnected', async () => {
    await new Server().play(`${GREETED}
      C: AUTH PLAIN
      S: + 
      C: <advance 180s>
      S: <closed>
    `);
  });
});

describe('a server that shuts down', () => {
  test('ends a session between two commands', async () => {
    const server = new Server();
    await server.play(`${LOGIN}
      C: STAT
      S: +OK 2 80
      C: <closing>
      S: -ERR [SYS/TEMP] shutting down, try again later
      S: <closed>
    `);
    expect(server.mailbox.calls).toEqual(['logout']);
  });

  test('waits for the QUIT of a client that has marked messages', async () => {
    const server = new Server();
    await server.play(`${LOGIN}
      C: DELE 1
      S: +OK message 1 deleted
      C: <closing>
      S: <silence>
      C: QUIT
      S: +OK POP3 server signing off
      S: <closed>
    `);
    expect(server.mailbox.calls).toEqual(['update [0] []', 'logout']);
  });
});
