import { Conversation, PeerGone, TimedOut } from '@postern/conversation';
import { type EsmtpEvent, type RecipientResult, Rejection, Reply } from '@postern/esmtp';
import { memoryPipe, settle } from '@postern/testing';
import { describe, expect, test } from 'vitest';
import { ENVELOPE, GREETED, LOGIN, Server, type ServerOptions } from '../server.ts';

const DATA = '\nC: DATA\nS: 354...';
const OURS = 'S: 451 4.3.0 Something went wrong here, try again later';
const ALIVE = '\nC: NOOP\nS: 250 2.0.0 OK';

interface Told extends Partial<Pick<Server['delivery'], `on${'From' | 'To' | 'Open' | 'Write' | 'End' | 'Abort'}`>> {}

async function play(delivery: Told, script: string, options: ServerOptions = {}): Promise<Server> {
  const server = new Server(options);
  Object.assign(server.delivery, delivery);
  await server.play(`${GREETED}${LOGIN}${script}`);
  return server;
}

const troubles = (server: Server): unknown[] =>
  server.events
    .filter((event) => event.kind === 'error')
    .map(({ culprit, during, cause }) => ({ culprit, during, cause }));

/** Fails at once, or a turn later. */
const failing = (error: unknown): [string, () => Promise<never>][] => [
  [
    'throws',
    () => {
      throw error;
    },
  ],
  ['rejects', () => Promise.reject(error)],
];

describe('a call that fails', () => {
  const bug = new Error('password of the database: hunter2');

  test.each(failing(bug))('validateFrom that %s is 451, and the event has the cause', async (_how, onFrom) => {
    const server = await play(
      { onFrom },
      `\nC: MAIL FROM:<ann@example.com>\n${OURS}\nC: RCPT TO:<bob@example.com>\nS: 503...`,
    );
    expect(troubles(server)).toEqual([{ culprit: 'us', during: 'MAIL', cause: bug }]);
  });

  test.each(failing(bug))('validateTo that %s is 451, and adds no recipient', async (_how, onTo) => {
    const server = await play(
      { onTo },
      `\nC: MAIL FROM:<ann@example.com>\nS: 250...\nC: RCPT TO:<bob@example.com>\n${OURS}\nC: DATA\nS: 503...`,
    );
    expect(troubles(server)).toEqual([{ culprit: 'us', during: 'RCPT', cause: bug }]);
  });

  test.each(failing(bug))('openMessage that %s is 451 instead of 354', async (_how, onOpen) => {
    const server = await play({ onOpen }, `${ENVELOPE}\nC: DATA\n${OURS}${ALIVE}`);
    expect(server.delivery.calls).toEqual(['from', 'to', 'open', 'logout']);
    expect(troubles(server)).toEqual([{ culprit: 'us', during: 'DATA', cause: bug }]);
  });

  test.each(failing(bug))(
    'write that %s is 451 after the data, and the message is aborted once',
    async (_how, onWrite) => {
      const server = await play({ onWrite }, `${ENVELOPE}${DATA}\nC: one\nC: two\nC: .\n${OURS}${ALIVE}`);
      expect(server.delivery.calls).toEqual(['from', 'to', 'open', 'abort', 'logout']);
      expect(troubles(server)).toEqual([{ culprit: 'us', during: 'DATA', cause: bug }]);
      expect(server.kinds()).toContain('message-refused');
    },
  );

  test.each(failing(bug))('end that %s is 451, and the message is not aborted', async (_how, onEnd) => {
    const server = await play({ onEnd }, `${ENVELOPE}${DATA}\nC: one\nC: .\n${OURS}${ALIVE}`);
    expect(server.delivery.calls).toEqual(['from', 'to', 'open', 'end', 'logout']);
    expect(troubles(server)).toEqual([{ culprit: 'us', during: 'DATA', cause: bug }]);
  });

  test.each(failing(bug))('abort that %s changes no reply', async (_how, onAbort) => {
    const server = await play({ onAbort }, `${ENVELOPE}${DATA}\nC: a\\nb\nC: .\nS: 550 5.6.11...${ALIVE}`);
    expect(troubles(server)).toEqual([{ culprit: 'us', during: 'DATA', cause: bug }]);
  });

  test.each([new PeerGone(), new TimedOut()])(
    'with an error of another conversation (%o) does not end this one',
    async (error) => {
      await play(
        { onTo: () => Promise.reject(error) },
        `\nC: MAIL FROM:<ann@example.com>\nS: 250...\nC: RCPT TO:<bob@example.com>\n${OURS}${ALIVE}`,
      );
      await play({ onWrite: () => Promise.reject(error) }, `${ENVELOPE}${DATA}\nC: x\nC: .\n${OURS}${ALIVE}`);
    },
  );

  test.each([undefined, null, 'text', 42])('with %j is 451', async (nonsense) => {
    await play(
      { onTo: () => Promise.reject(nonsense) },
      `\nC: MAIL FROM:<ann@example.com>\nS: 250...\nC: RCPT TO:<bob@example.com>\n${OURS}`,
    );
  });

  test('with an invalid reply is an error of this server', async () => {
    await play(
      {
        onTo: () => {
          throw new Rejection(250, '2.0.0', 'lie');
        },
      },
      `\nC: MAIL FROM:<ann@example.com>\nS: 250...\nC: RCPT TO:<bob@example.com>\n${OURS}`,
    );
  });
});

test('parameters that one delivery changes are unchanged for another', async () => {
  const server = new Server();
  const seen: unknown[] = [];
  const scribble = (parameters: object): void => {
    seen.push({ ...parameters });
    Object.assign(parameters, { scribbled: true });
  };
  server.delivery.onFrom = (_path, parameters) => scribble(parameters);
  server.delivery.onTo = (_path, parameters) => scribble(parameters);
  await server.play(
    `${GREETED}${LOGIN}\nC: MAIL FROM:<ann@example.com>\nS: 451...\nC: MAIL FROM:<ann@example.com>\nS: 451...`,
  );
  server.delivery.onFrom = () => {};
  await server.play(
    `${GREETED}${LOGIN}\nC: MAIL FROM:<ann@example.com>\nS: 250...${'\nC: RCPT TO:<bob@example.com>\nS: 451...'.repeat(2)}`,
  );
  expect(seen).toEqual([{ smtpUtf8: false }, { smtpUtf8: false }, {}, {}]);
});

describe('a rejection', () => {
  const full = new Rejection(452, '4.2.2', 'Mailbox full');

  test.each(failing(full))('by openMessage that %s replaces 354, and the transaction stays', async (_how, onOpen) => {
    const server = await play(
      { onOpen },
      `${ENVELOPE}\nC: DATA\nS: 452 4.2.2 Mailbox full\nC: MAIL FROM:<ann@example.com>\nS: 503...\nC: RSET\nS: 250...`,
    );
    expect(troubles(server)).toEqual([]);
  });

  test.each(failing(full))('by write that %s is the reply after the data', async (_how, onWrite) => {
    const server = await play({ onWrite }, `${ENVELOPE}${DATA}\nC: one\nC: .\nS: 452 4.2.2 Mailbox full${ENVELOPE}`);
    expect(server.delivery.calls.filter((call) => call === 'abort')).toHaveLength(1);
    expect(troubles(server)).toEqual([]);
  });

  test.each(failing(full))('by end that %s is the reply', async (_how, onEnd) => {
    const server = await play({ onEnd }, `${ENVELOPE}${DATA}\nC: one\nC: .\nS: 452 4.2.2 Mailbox full${ENVELOPE}`);
    expect(server.delivery.delivered).toEqual([]);
  });

  test('with 421 closes the connection', async () => {
    const onTo = (): never => {
      throw new Rejection(421, '4.7.0', 'Enough');
    };
    await play(
      { onTo },
      '\nC: MAIL FROM:<ann@example.com>\nS: 250...\nC: RCPT TO:<bob@example.com>\nC: NOOP\nS: 421 4.7.0 Enough\nS: <closed>',
    );
  });
});

describe('a call that takes too long', () => {
  const never = (): Promise<never> => new Promise(() => {});
  const wait = '\nS: <silence>\nC: <advance 121s>';

  test('is 451', async () => {
    await play({ onFrom: never }, `\nC: MAIL FROM:<ann@example.com>${wait}\n${OURS}${ALIVE}`);
    await play(
      { onTo: never },
      `\nC: MAIL FROM:<ann@example.com>\nS: 250...\nC: RCPT TO:<bob@example.com>${wait}\n${OURS}${ALIVE}`,
    );
    await play({ onOpen: never }, `${ENVELOPE}\nC: DATA${wait}\n${OURS}${ALIVE}`);
  });

  test('is 451 for an end after ten minutes: a client that waits less would send the message again', async () => {
    const patient = `${wait}\nS: <silence>\nC: <advance 500s>`;
    await play({ onEnd: never }, `${ENVELOPE}${DATA}\nC: x\nC: .${patient}\n${OURS}${ALIVE}`);
  });

  test('is 451 for a write, and the message is aborted', async () => {
    let writes = 0;
    const onWrite = (): Promise<void> | void => (++writes === 1 ? undefined : never());
    const server = await play({ onWrite }, `${ENVELOPE}${DATA}\nC: x${wait}\nC: .\n${OURS}${ALIVE}`);
    expect(server.delivery.calls).toEqual(['from', 'to', 'open', 'abort', 'logout']);
  });

  test('has its message aborted if it opens one after all', async () => {
    const open = Promise.withResolvers<void>();
    const server = await play({ onOpen: () => open.promise }, `${ENVELOPE}\nC: DATA${wait}\n${OURS}`);
    expect(server.delivery.calls).toEqual(['from', 'to', 'open', 'logout']);
    open.resolve();
    await expect.poll(() => server.delivery.calls).toEqual(['from', 'to', 'open', 'logout', 'abort']);
  });

  test("of an abort does not delay the client's reply longer", async () => {
    await play({ onAbort: never }, `${ENVELOPE}${DATA}\nC: a\\nb\nC: .${wait}\nS: 550 5.6.11...${ALIVE}`);
  });
});

interface PlayOptions {
  readonly notified?: readonly number[];
  readonly notify?: string;
  readonly recipients?: number;
}

describe('results for each recipient', () => {
  const refused = new Reply(550, '5.2.1', 'Closed');
  const deferred = new Reply(452, '4.2.2', 'Full');

  /**
   * Plays a message for r0, r1, … up to the reply. Returns the event. `notified` lists recipients
   * with a notification.
   */
  async function play(
    results: Reply | readonly RecipientResult[],
    reply: string,
    { notified = [], notify = '', recipients = results instanceof Reply ? 2 : results.length }: PlayOptions = {},
  ): Promise<EsmtpEvent | undefined> {
    const server = new Server();
    const isNotified = (recipient: number): boolean => notified.includes(recipient);
    server.delivery.openMessage = () => ({ isNotified, write() {}, end: () => results, abort() {} });
    const paths = Array.from({ length: recipients }, (_, index) => `<r${index}@example.com>${notify}`);
    const to = paths.map((path) => `\nC: RCPT TO:${path}\nS: 250...`).join('');
    await server.play(
      `${GREETED}${LOGIN}\nC: MAIL FROM:<ann@example.com>\nS: 250...${to}${DATA}\nC: x\nC: .\n${reply}\nC: NOOP\nS: 250...`,
    );
    return server.events.find(({ kind }) => kind.startsWith('message'));
  }

  const FAILED_R0 = [{ recipient: 'r0@example.com', reply: refused }];

  test('all accepted is 250', async () => {
    await play([undefined, undefined], 'S: 250 2.0.0 OK <any>');
  });

  test('one accepted is not 250 if the other failures have no notification (RFC 5321 §6.1)', async () => {
    const event = await play(
      [refused, undefined, undefined],
      `S: 550-5.2.1 Closed
       S: 550-5.2.1 Not delivered to <r0@example.com>
       S: 550 5.2.1 Delivered to <r1@example.com>, <r2@example.com>`,
    );
    expect(event).toMatchObject({ kind: 'message-refused', failed: FAILED_R0 });
  });

  test('one accepted is 250 if the other failures have a notification', async () => {
    const event = await play([refused, undefined], 'S: 250 2.0.0 OK <any>', { notified: [0] });
    expect(event).toMatchObject({ kind: 'message-accepted', failed: FAILED_R0 });
  });

  test('one accepted is 250 if the sender wants no notification (RFC 3461 §4.1)', async () => {
    for (const notify of [' NOTIFY=NEVER', ' NOTIFY=SUCCESS']) {
      await play([refused, undefined], 'S: 250 2.0.0 OK <any>', { notify });
    }
  });

  test('the reply names ten recipients of each group', async () => {
    const results = Array.from({ length: 24 }, (_, at) => (at % 2 === 0 ? refused : undefined));
    const names = (first: number): string =>
      Array.from({ length: 10 }, (_, at) => `<r${2 * at + first}@example.com>`).join(', ');
    await play(
      results,
      `S: 550-5.2.1 Closed
       S: 550-5.2.1 Not delivered to ${names(0)} and 2 more
       S: 550 5.2.1 Delivered to ${names(1)} and 2 more`,
    );
  });

  test('one temporary failure makes the reply temporary: a duplicate is better than a loss (RFC 5321 §4.2.5)', async () => {
    await play(
      [refused, undefined, deferred],
      `S: 452-4.2.2 Full
       S: 452-4.2.2 Not delivered to <r0@example.com>, <r2@example.com>
       S: 452 4.2.2 Delivered to <r1@example.com>`,
      { notified: [0, 2] },
    );
    await play([undefined, deferred], 'S: 452...', { notify: ' NOTIFY=NEVER' });
  });

  test('an isNotified that throws is an error of this server, and not 250', async () => {
    const server = new Server();
    const isNotified = (): never => {
      throw new Error('no idea');
    };
    server.delivery.openMessage = () => ({ isNotified, write() {}, end: () => [refused, undefined], abort() {} });
    await server.play(
      `${GREETED}${LOGIN}${ENVELOPE}\nC: RCPT TO:<eve@example.com>\nS: 250...${DATA}\nC: x\nC: .\nS: 550...`,
    );
    expect(server.kinds()).toContain('error');
  });

  test('one positive reply for all recipients goes to the client', async () => {
    const queued = new Reply(250, '2.6.0', 'Queued as 4Qz');
    for (const ended of [queued, [queued, queued], [queued, new Reply(250, '2.6.0', 'Queued as 4Qz')]]) {
      const event = await play(ended, 'S: 250 2.6.0 Queued as 4Qz');
      expect(event).toMatchObject({ kind: 'message-accepted', failed: [], reply: { lines: ['Queued as 4Qz'] } });
    }
  });

  test('a positive reply without an enhanced code gets one (RFC 2034 §4)', async () => {
    await play(new Reply(250, undefined, 'Queued as 4Qz'), 'S: 250 2.0.0 Queued as 4Qz');
  });

  test.each<readonly [string, readonly RecipientResult[]]>([
    ['for one recipient of two', [new Reply(250, '2.6.0', 'Kept'), undefined]],
    ['that differ', [new Reply(250, '2.6.0', 'Kept as 1'), new Reply(250, '2.6.0', 'Kept as 2')]],
    ['for too few recipients', [new Reply(250, '2.6.0', 'Kept')]],
    ['that ask for more (3xx)', [new Reply(354, undefined, 'More'), new Reply(354, undefined, 'More')]],
  ])('positive replies %s get the 250 of this server', async (_, results) => {
    const event = await play(results, 'S: 250 2.0.0 OK <any>', { recipients: 2 });
    expect(event).toMatchObject({ kind: 'message-accepted', failed: [], reply: undefined });
  });

  test('one negative reply for all recipients is the refusal', async () => {
    const event = await play(refused, 'S: 550 5.2.1 Closed');
    expect(event).toMatchObject({ kind: 'message-refused', reply: refused, failed: [] });
  });

  test.each([
    ['at once', 1],
    ['later', Promise.resolve(1)],
    ['in a list', ['250 2.0.0 OK']],
    ['behind a reply', [refused, true]],
  ])('of another type (%s) are an error of this server, and a temporary failure', async (_when, results) => {
    const server = new Server();
    const message = { write: () => {}, end: () => results as never, abort: () => {} };
    server.delivery.openMessage = () => message;
    await server.play(`${GREETED}${LOGIN}${ENVELOPE}${DATA}\nC: x\nC: .\nS: 451 4.3.0...`);
    expect(server.events).toContainEqual(expect.objectContaining({ kind: 'error', culprit: 'us', during: 'DATA' }));
    expect(server.kinds()).toContain('message-refused');
  });

  test('all refused is the refusal', async () => {
    const event = await play([refused, refused], 'S: 550 5.2.1 Closed');
    expect(event).toMatchObject({ kind: 'message-refused', reply: refused });
  });

  test('all refused, some temporarily, is a temporary refusal', async () => {
    await play([refused, deferred], 'S: 452 4.2.2 Full');
  });
});

describe('the Received field', () => {
  const received = async (field: (() => string | undefined) | undefined, expected: string): Promise<string> => {
    const server = new Server();
    Object.assign(server.delivery, { receivedHeader: field });
    await server.play(`${GREETED}${LOGIN}${ENVELOPE}${expected}`);
    return server.delivery.delivered[0]?.text ?? '';
  };
  const mail = `${DATA}\nC: x\nC: .\nS: 250...`;

  test("can be the delivery's own", async () => {
    expect(await received(() => 'Received: by magic;\r\n today', mail)).toBe('Received: by magic;\r\n today\r\nx\r\n');
  });

  test('can be left out', async () => {
    expect(await received(() => undefined, mail)).toBe('x\r\n');
  });

  test.each([
    '',
    'no field',
    'Received: a\r\nSubject: b'.replace('\r\n', '\n'),
    'Received: a\r\n\r\nbody',
    'Received: a\r\n',
    'A b: c',
  ])('cannot be %j', async (field) => {
    await received(() => field, `\nC: DATA\n${OURS}`);
  });
});

describe('a client that disconnects', () => {
  test.each(['close', 'reset', 'end'])('during the data (%s) has its message aborted once', async (word) => {
    const server = await play({}, `${ENVELOPE}${DATA}\nC: half\nC: <${word}>`);
    expect(server.delivery.calls).toEqual(['from', 'to', 'open', 'abort', 'logout']);
    expect(server.events.at(-1)).toMatchObject({ kind: 'closed', reason: 'disconnected' });
  });

  test('during a write has its message aborted after the write', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const server = new Server();
    let writes = 0;
    server.delivery.onWrite = () => (++writes === 1 ? undefined : promise);
    const played = server.play(`${GREETED}${LOGIN}${ENVELOPE}${DATA}\nC: half\nC: <close>`);
    await expect.poll(() => writes).toBe(2);
    expect(server.delivery.calls).not.toContain('abort');
    resolve();
    await played;
    expect(server.delivery.calls).toEqual(['from', 'to', 'open', 'abort', 'logout']);
  });

  test('during the end does not undo the message', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const server = new Server();
    server.delivery.onEnd = () => promise;
    const played = server.play(`${GREETED}${LOGIN}${ENVELOPE}${DATA}\nC: all\nC: .\nC: <close>`);
    await expect.poll(() => server.delivery.calls).toContain('end');
    resolve();
    await played;
    expect(server.delivery.calls).toEqual(['from', 'to', 'open', 'end', 'logout']);
    expect(server.delivery.delivered).toHaveLength(1);
  });

  test('with QUIT in one packet with the data gets its replies', async () => {
    const server = await play(
      {},
      `${ENVELOPE}${DATA}\nC: all\nC: .\nC: QUIT\nC: <end>\nS: 250...\nS: 221...\nS: <closed>`,
    );
    expect(server.events.at(-1)).toMatchObject({ kind: 'closed', reason: 'quit' });
  });

  test('by sending no more data gets 421, and its message is aborted', async () => {
    const server = await play(
      {},
      `${ENVELOPE}${DATA}\nC: half\nC: <advance 302s>\nS: 421 4.4.2 Took too long, closing the connection\nS: <closed>`,
    );
    expect(server.delivery.calls).toEqual(['from', 'to', 'open', 'abort', 'logout']);
    expect(server.events.at(-1)).toMatchObject({ kind: 'closed', reason: 'timeout' });
  });
});

test('a slow delivery slows the client down', async () => {
  const server = new Server();
  const gate = Promise.withResolvers<void>();
  server.delivery.onWrite = (chunk) => (chunk.length > 1000 ? gate.promise : undefined);
  const { client, server: end } = memoryPipe({ highWaterMark: 10_000, tlsPolicy: 'implicit' });
  const protocol = server.protocol(new Conversation(end));
  const speaker = new Conversation(client);
  speaker.say(`EHLO x\r\nAUTH PLAIN AGFubgBzZWNyZXQ=\r\nMAIL FROM:<a@b>\r\nRCPT TO:<a@b>\r\nDATA\r\n`);
  await speaker.flush();
  for (let line = ''; !line.startsWith('354'); line = (await speaker.hearLine(1000)) ?? '354');
  await client.write('x'.repeat(9_000));
  await settle();
  let written = false;
  const more = Promise.resolve(client.write('x'.repeat(50_000))).then(() => {
    written = true;
  });
  await settle();
  expect(written).toBe(false);
  gate.resolve();
  await more;
  expect(written).toBe(true);
  await client.write('\r\n.\r\nQUIT\r\n');
  client.end();
  await protocol;
  expect(server.delivery.delivered[0]?.text).toMatch(/[^x]x{59000}\r\n$/);
});

describe('a server that closes', () => {
  const bye = '\nS: 421 4.3.2 Shutting down, try again later\nS: <closed>';

  test('sends 421 to an idle client', async () => {
    const server = await play({}, `\nC: <closing>${bye}`);
    expect(server.delivery.calls).toEqual(['logout']);
    expect(server.events.at(-1)).toMatchObject({ kind: 'closed', reason: 'shutdown' });
    await new Server().play(`S: 220...\nC: <closing>${bye}`);
  });

  test('lets a transaction end first', async () => {
    const server = await play(
      {},
      `\nC: MAIL FROM:<ann@example.com>\nS: 250...\nC: <closing>\nS: <silence>\nC: RCPT TO:<bob@example.com>\nS: 250...${DATA}\nC: all\nC: .\nS: 250...${bye}`,
    );
    expect(server.delivery.delivered).toHaveLength(1);
  });

  test('lets the data end first', async () => {
    const server = await play(
      {},
      `${ENVELOPE}${DATA}\nC: half\nC: <closing>\nS: <silence>\nC: and half\nC: .\nS: 250...${bye}`,
    );
    expect(server.delivery.delivered).toHaveLength(1);
  });
});
