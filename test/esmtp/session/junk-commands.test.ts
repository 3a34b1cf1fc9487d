import { FakeClock } from '@postern/testing';
import { describe, expect, test } from 'vitest';
import { ENVELOPE, GREETED, LOGIN, Server } from '../server.ts';

// EHLO is the first junk command of each script.
const limits = { undelayedJunkCommands: 3, junkCommandDelay: 2_000, maxJunkCommands: 5 };
const MESSAGE = '\nC: DATA\nS: 354...\nC: Hello\nC: .\nS: 250...';

describe('commands that bring no message', () => {
  test.each([
    ['NOOP', '250 2.0.0 OK'],
    ['RSET', '250 2.0.0 OK'],
    ['EHLO again.example.org', '250...'],
    ['HELO again.example.org', '250 mx.example.com'],
    ['VRFY ann', '252...'],
    ['HELP', '214...'],
    ['XXXX', '500...'],
    ['AUTH PLAIN ?', '501...'],
    ['MAIL FROM:<>', '530...'],
    ['BDAT 0', '503...'],
  ])('such as %s are delayed after a few, and 421 after more', async (command, reply) => {
    const authentication = /^(VRFY|HELP|BDAT)/.test(command) ? 'optional' : 'required';
    const server = new Server({ limits, authentication });
    const one = `\nC: ${command}\nS: ${reply}`;
    const late = `\nC: ${command}\nS: <silence>\nC: <advance 1s>\nS: <silence>\nC: <advance 1s>\nS: ${reply}`;
    await server.play(
      `${GREETED}${one}${one}${late}${late}\nC: ${command}\nS: 421 4.7.0 Too many commands that bring no message\nS: <closed>`,
    );
  });

  test('belong to a message that follows: it resets the count', async () => {
    const message = `${ENVELOPE}${MESSAGE}\nC: NOOP\nS: 250...\nC: RSET\nS: 250...`;
    await new Server({ limits }).play(`${GREETED}${LOGIN}${message.repeat(10)}`);
  });

  test('do not hold back the replies before them', async () => {
    await new Server({ limits }).play(
      `${GREETED}${LOGIN}\nC: NOOP\nS: 250...\nC: RSET\nS: 250...\nC: MAIL FROM:<ann@example.com>\nC: RSET\nS: 250 2.1.0...\nS: <silence>\nC: <advance 3s>\nS: 250 2.0.0 OK`,
    );
  });

  test('expire with time: a client may keep its connection alive', async () => {
    const clock = new FakeClock();
    await new Server({ limits, clock }).play(
      `${GREETED}${LOGIN}${'\nC: <advance 10s>\nC: NOOP\nS: 250 2.0.0 OK'.repeat(50)}`,
      { clock },
    );
  });

  test('count refused recipients a tenth, and accepted ones not at all', async () => {
    const server = new Server({ limits });
    server.delivery.onTo = (path) => {
      if (path.localPart === 'x') throw new Error('down');
    };
    const rcpt = (name: string, code: number) => `\nC: RCPT TO:<${name}@example.com>\nS: ${code}...`;
    await server.play(
      `${GREETED}${LOGIN}\nC: MAIL FROM:<ann@example.com>\nS: 250...${rcpt('bob', 250).repeat(50)}${rcpt('x', 451).repeat(20)}${MESSAGE}`,
    );
    await server.play(
      `${GREETED}${LOGIN}\nC: MAIL FROM:<ann@example.com>\nS: 250...${rcpt('x', 451).repeat(20)}\nC: RCPT TO:<x@example.com>\nS: <silence>\nC: <advance 3s>\nS: 451...`,
    );
  });

  test('count small chunks a tenth, and large ones not at all', async () => {
    const chunk = '\nC: BDAT 1\nC: <raw x>\nS: 250...';
    const large = '\nC: BDAT 1024\nC: <raw {repeat:1024:x}>\nS: 250...';
    await new Server({ limits }).play(
      `${GREETED}${LOGIN}${ENVELOPE}${large.repeat(30)}${chunk.repeat(20)}\nC: BDAT 1\nC: <raw x>\nS: <silence>\nC: <advance 3s>\nS: 250...`,
    );
  });

  test('end with the connection, or with the server, while the reply is held back', async () => {
    const begun = `${GREETED}\nC: NOOP\nS: 250...\nC: NOOP\nS: 250...\nC: NOOP\nS: <silence>`;
    await new Server({ limits }).play(
      `${begun}\nC: <closing>\nC: <advance 2s>\nS: 250...\nS: 421 4.3.2...\nS: <closed>`,
    );
    const server = new Server({ limits });
    await server.play(`${begun}\nC: <close>\nC: <advance 3s>`);
    expect(server.kinds().at(-1)).toBe('closed');
  });

  test('are delayed after a hundred by default', async () => {
    const flood = `${'\nC: NOOP'.repeat(150)}`;
    await new Server().play(
      `${GREETED}${flood}${'\nS: 250 2.0.0 OK'.repeat(99)}\nS: <silence>\nC: <advance 9ms>\nS: <silence>\nC: <advance 501ms>${'\nS: 250 2.0.0 OK'.repeat(51)}`,
    );
  });
});

describe('a connection without a login', () => {
  const life = { unauthenticatedTimeout: 60_000 };
  const END = 'S: 421 4.4.2 Took too long, closing the connection\nS: <closed>';

  test('ends, whatever the client sends', async () => {
    const noop = '\nC: <advance 15s>\nC: NOOP\nS: 250...';
    await new Server({ limits: life }).play(`${GREETED}${noop.repeat(3)}\nC: <advance 16s>\n${END}`);
  });

  test('ends in the middle of an exchange, of a line and of a message', async () => {
    for (const begun of [
      '\nC: AUTH LOGIN\nS: 334...',
      '\nC: <raw NO>',
      `${ENVELOPE}\nC: DATA\nS: 354...\nC: Hello\nC: <advance 50s>\nC: there`,
    ]) {
      const server = new Server({ limits: life, allowAnonymous: true, authentication: 'optional' });
      await server.play(`${GREETED}${begun}\nC: <advance 61s>\n${END}`);
      expect(server.delivery.delivered).toEqual([]);
    }
  });

  test('restarts its time with each accepted message, and not with a refused login', async () => {
    const server = new Server({ limits: life, allowAnonymous: true, authentication: 'optional' });
    const message = `\nC: <advance 50s>${ENVELOPE}${MESSAGE}`;
    const failed = `\nC: <advance 50s>\nC: AUTH PLAIN {base64:\\0ann\\0wrong}\nS: 535...`;
    await server.play(`${GREETED}${message.repeat(3)}${failed}\nC: <advance 12s>\n${END}`);
  });

  test('lasts once the client has logged in', async () => {
    const noop = '\nC: <advance 50s>\nC: NOOP\nS: 250...';
    await new Server({ limits: life }).play(`${GREETED}${LOGIN}${noop.repeat(4)}`);
  });
});
