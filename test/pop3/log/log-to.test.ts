import { Console } from 'node:console';
import { Writable } from 'node:stream';
import { logTo } from '@postern/pop3';
import type { Logger } from '@postern/sasl-profile';
import { describe, expect, test } from 'vitest';
import { GREETED, LOGIN, Server } from '../server.ts';

/** A logger that keeps its entries. */
function recorder(): { readonly entries: unknown[]; readonly logger: Logger } {
  const entries: unknown[] = [];
  const entry =
    (level: string) =>
    (fields: object, message: string): void =>
      void entries.push([level, message, fields]);
  return { entries, logger: { info: entry('info'), warn: entry('warn'), error: entry('error') } };
}

describe('logTo', () => {
  test('logs a session with what the user has read and removed', async () => {
    const { entries, logger } = recorder();
    await new Server({ onEvent: logTo(logger) }).play(`${LOGIN}
      C: TOP 1 99
      S: +OK <any>
      S: Subject: one
      S: 
      S: Hello
      S: ..
      S: ...dots
      S: .
      C: DELE 1
      S: +OK message 1 deleted
      C: QUIT
      S: +OK POP3 server signing off
    `);
    const remote = '192.0.2.1:40000';
    expect(entries.slice(1)).toEqual([
      ['info', 'logged in', { remote, mechanism: 'USER', user: 'ann' }],
      [
        'info',
        'mailbox closed',
        { remote, user: 'ann', reason: 'quit', messages: 2, retrieved: 1, octets: 34, deleted: 1 },
      ],
      ['info', 'closed', { remote, reason: 'quit' }],
    ]);
  });

  test('logs refusals with their reply, in the form that fail2ban reads', async () => {
    const { entries, logger } = recorder();
    await new Server({ onEvent: logTo(logger) }).play(`${GREETED}
      C: USER ann
      S: +OK send PASS
      C: PASS secret2
      S: -ERR [AUTH] authentication failed
      C: STAT
      S: -ERR log in first
    `);
    const remote = '192.0.2.1:40000';
    expect(entries.slice(1, 3)).toEqual([
      [
        'info',
        'login refused',
        { remote, mechanism: 'USER', code: 'unauthorized', reply: '-ERR [AUTH] authentication failed' },
      ],
      ['info', 'command refused', { remote, command: 'STAT', reply: '-ERR log in first' }],
    ]);
    expect(JSON.stringify(entries)).not.toContain('secret');
  });

  test('writes one line for each event to a console', async () => {
    let written = '';
    const stream = new Writable({
      write(chunk: Buffer, _encoding, done) {
        written += chunk.toString();
        done();
      },
    });
    await new Server({ onEvent: logTo(new Console(stream)) }).play(`${LOGIN}
      C: QUIT
      S: +OK POP3 server signing off
    `);
    expect(written.split('\n').slice(2, 3)).toEqual([
      'mailbox closed remote=192.0.2.1:40000 user=ann reason=quit messages=2 retrieved=0 octets=0 deleted=0',
    ]);
  });
});
