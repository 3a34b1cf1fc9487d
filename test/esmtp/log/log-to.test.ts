import { Console } from 'node:console';
import { Writable } from 'node:stream';
import { LoginDenied, UnauthorizedLogin } from '@postern/cred';
import { type EsmtpEvent, type LogFields, type Logger, logTo, Rejection, Reply } from '@postern/esmtp';
import { testMind } from '@postern/testing';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { ENVELOPE, GREETED, LOGIN, Server } from '../server.ts';

type Entry = readonly [level: string, message: string, fields: LogFields];

/** A logger that keeps its entries. */
function recorder(): { readonly entries: Entry[]; readonly logger: Logger } {
  const entries: Entry[] = [];
  const entry =
    (level: string) =>
    (fields: LogFields, message: string): void =>
      void entries.push([level, message, fields]);
  return { entries, logger: { info: entry('info'), warn: entry('warn'), error: entry('error') } };
}

/** A console that keeps its lines. */
function lines(): { readonly written: string[]; readonly console: Console } {
  const written: string[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      written.push(...chunk.toString().split('\n').slice(0, -1));
      done();
    },
  });
  return { written, console: new Console(stream) };
}

describe('logTo', () => {
  test('logs the sender, the recipients, the size and the refusals of a message', async () => {
    const { entries, logger } = recorder();
    const server = new Server({ onEvent: logTo(logger) });
    server.delivery.onTo = ({ localPart }) => {
      if (localPart === 'eve') throw new Rejection(550, '5.1.1', 'No eve here');
    };
    await server.play(`${GREETED}${LOGIN}${ENVELOPE}
      C: RCPT TO:<eve@example.com>
      S: 550 5.1.1 No eve here
      C: DATA
      S: 354...
      C: hello
      C: .
      S: 250 2.0.0 OK <any>`);
    const remote = '192.0.2.1:40000';
    expect(entries.slice(2, -1)).toEqual([
      [
        'info',
        'recipient refused',
        {
          remote,
          to: ['eve@example.com'],
          from: 'ann@example.com',
          user: 'ann',
          reply: '550 5.1.1 No eve here',
        },
      ],
      [
        'info',
        'message accepted',
        {
          remote,
          id: expect.any(String),
          from: 'ann@example.com',
          to: ['bob@example.com'],
          recipients: 1,
          user: 'ann',
          size: 7,
        },
      ],
    ]);
  });

  test('logs 20 refused recipients of a connection, and counts a thousand', async () => {
    const { entries, logger } = recorder();
    const server = new Server({ onEvent: logTo(logger), limits: { undelayedJunkCommands: 200 } });
    server.delivery.onTo = () => {
      throw new Rejection(550, '5.1.1', 'Nobody');
    };
    const refused = '\nC: RCPT TO:<eve@example.com>\nS: 550 5.1.1 Nobody'.repeat(1_000);
    await server.play(`${GREETED}${LOGIN}\nC: MAIL FROM:<ann@example.com>\nS: 250...${refused}`);
    expect(entries.filter(([, message]) => message === 'recipient refused')).toHaveLength(20);
    expect(entries.slice(22).map(([level, message, { refusals }]) => [level, message, refusals])).toEqual([
      ['warn', 'further ones on this connection are only counted', undefined],
      ['warn', 'refusals were not logged', 980],
      ['info', 'closed', undefined],
    ]);
  });

  test('logs each refused login, after any number of other refusals', async () => {
    const { entries, logger } = recorder();
    const server = new Server({ onEvent: logTo(logger, { maxRefusals: 1 }) });
    await server.play(
      `${GREETED}\nC: X\nS: 500...\nC: X\nS: 500...${'\nC: AUTH PLAIN {base64:\\0ann\\0wrong}\nS: 535...'.repeat(3)}`,
    );
    expect(entries.filter(([, message]) => message === 'login refused')).toHaveLength(3);
    expect(entries.filter(([, message]) => message === 'command refused')).toHaveLength(1);
  });

  test('logs the time until which a throttled client has to wait', () => {
    vi.useFakeTimers({ now: Date.UTC(2026, 0, 1) });
    onTestFinished(() => void vi.useRealTimers());
    const { entries, logger } = recorder();
    const error = new LoginDenied('too-many', undefined, { retryAfter: 90_000 });
    const reply = new Reply(454, '4.7.0', 'Later');
    logTo(logger)({ mind: testMind(), kind: 'login-refused', mechanism: 'PLAIN', error, reply });
    expect(entries[0]?.[2]).toMatchObject({ reason: 'too-many', until: '2026-01-01T00:01:30.000Z' });
  });

  test('has the positive reply of a delivery, or the replies of the next servers', () => {
    const { entries, logger } = recorder();
    const envelope = { id: 'id1', reversePath: null, parameters: { smtpUtf8: false }, recipients: [] };
    const reply = new Reply(250, '2.0.0', 'Ok: queued as 4Qz');
    const accepted = { kind: 'message-accepted', envelope, avatarId: 'ann', octets: 1, failed: [], reply } as const;
    const nextHops = [{ host: 'mx.example.org', reply, recipients: [] }];
    for (const hops of [[], nextHops]) logTo(logger)({ mind: testMind(), ...accepted, nextHops: hops });
    expect(entries.map(([, , fields]) => fields)).toMatchObject([
      { reply: '250 2.0.0 Ok: queued as 4Qz' },
      { next: [{ host: 'mx.example.org', reply: '250 2.0.0 Ok: queued as 4Qz' }] },
    ]);
    expect(entries[1]?.[2]['reply']).toBeUndefined();
  });

  test('names at most maxRecipients recipients, and their number', () => {
    const { entries, logger } = recorder();
    const paths = Array.from({ length: 5 }, (_, at) => ({ forwardPath: `r${at}@example.com`, parameters: {} }));
    const envelope = { id: 'id1', reversePath: null, parameters: { smtpUtf8: false }, recipients: paths };
    const event = { kind: 'message-accepted', envelope, avatarId: 'ann', octets: 1, failed: [], nextHops: [] };
    logTo(logger, { maxRecipients: 2 })({ mind: testMind(), ...event } as unknown as EsmtpEvent);
    expect(entries[0]?.[2]).toMatchObject({ from: '<>', to: ['r0@example.com', 'r1@example.com'], recipients: 5 });
  });

  test('writes one line for each event to a console, and an error of the server with its stack', () => {
    const { written, console } = lines();
    const listener = logTo(console);
    const mind = testMind();
    const reply = new Reply(535, '5.7.8', 'Authentication failed');
    const username = 'x\nlogin refused remote=192.0.2.9:1';
    listener({ mind, kind: 'login-refused', mechanism: 'PLAIN', error: new UnauthorizedLogin(), reply, username });
    listener({ mind, kind: 'error', culprit: 'us', during: 'DATA', cause: new Error('disk\nfull') });
    expect(written[0]).toBe(
      'login refused remote=192.0.2.1:40000 mechanism=PLAIN code=unauthorized reply="535 5.7.8 Authentication failed" username="x\\nlogin refused remote=192.0.2.9:1"',
    );
    expect(written[1]).toBe('failure remote=192.0.2.1:40000 during=DATA culprit=us error="disk\\nfull"');
    expect(written.slice(2).every((line) => line.startsWith('    '))).toBe(true);
    expect(written.join('\n')).toContain('log-to.test.ts');
  });
});
