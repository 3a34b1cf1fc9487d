import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { inspect } from 'node:util';
import {
  AnonymousChecker,
  type Checker,
  InMemoryUsernamePasswordDatabaseDontUse,
  UnauthorizedLogin,
  UsernamePassword,
} from '@postern/cred';
import { type EsmtpEvent, type Message, MessageDelivery, Rejection } from '@postern/esmtp';
import { type SubmissionOptions, type SubmissionServer, submission } from '@postern/submission';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { certificateFiles, testCertificates } from '../support/certificates.ts';
import { LineClient } from '../support/line-client.ts';

const LISTEN = 'smtp://127.0.0.1:0';
const USERS = { joe: 'secret' };
const QUICK = { minFailureDelay: 0, undelayedLoginFailures: 100, loginFailureDelay: 0 };

type Some = Partial<Omit<SubmissionOptions, 'deliver' | 'deliveryFor'>> &
  Partial<Pick<SubmissionOptions, 'deliver' | 'deliveryFor'>>;

describe('the option users', () => {
  const users: readonly (readonly [string, SubmissionOptions['users'], offered: RegExp])[] = [
    ['an object of passwords', { joe: 'secret' }, /SCRAM-SHA-512.* PLAIN/],
    ['a Map of passwords', new Map([['joe', 'secret']]), /SCRAM-SHA-512.* PLAIN/],
    [
      'a function that returns a boolean',
      (name, password) => name === 'joe' && password === 'secret',
      /AUTH PLAIN LOGIN/,
    ],
    ['a checker', new InMemoryUsernamePasswordDatabaseDontUse(USERS), /SCRAM-SHA-512.* PLAIN/],
    [
      'checkers that are asked in order',
      [new InMemoryUsernamePasswordDatabaseDontUse({ ann: 'x' }), new InMemoryUsernamePasswordDatabaseDontUse(USERS)],
      /SCRAM-SHA-512.* PLAIN/,
    ],
  ];

  it.each(users)('%s', async (_name, users, offered) => {
    const server = await started({ users });
    const client = await greeted(server);
    expect(await client.say('EHLO client.example')).toMatch(offered);
    expect(await client.say('MAIL FROM:<joe@example.com>')).toMatch(/^530 /);
    expect(await client.say(auth('joe', 'wrong'))).toMatch(/^535 /);
    expect(await client.say(auth('constructor', 'secret'))).toMatch(/^535 /);
    expect(await client.say(auth('joe', 'secret'))).toMatch(/^235 /);
  });

  it('a function that returns another avatar id, or undefined for an unknown user', async () => {
    const seen: unknown[] = [];
    const server = await started({
      users: async (name) => (name === 'joe' ? 'joe@example.com' : undefined),
      deliver: ({ user }) => void seen.push(user),
    });
    const client = await greeted(server);
    await client.say('EHLO client.example');
    expect(await client.say(auth('ann', 'secret'))).toMatch(/^535 /);
    expect(await client.say(auth('joe', 'anything'))).toMatch(/^235 /);
    expect(await send(client)).toMatch(/^250 /);
    expect(seen).toEqual(['joe@example.com']);
  });

  it('a function gets the password as SASLprep prepares it, then as the client sent it', async () => {
    const asked: string[] = [];
    const server = await started({
      users: (_name, password) => {
        asked.push(password);
        return password === 'I\u00adX';
      },
    });
    const client = await greeted(server);
    await client.say('EHLO client.example');
    expect(await client.say(auth('joe', 'I\u00adX'))).toMatch(/^235 /);
    expect(asked).toEqual(['IX', 'I\u00adX']);
  });

  it('an error of the function is a temporary failure and the cause of an event', async () => {
    const events: EsmtpEvent[] = [];
    const server = await started({
      users: () => {
        throw new Error('the database is down');
      },
      onEvent: (event) => events.push(event),
    });
    const client = await greeted(server);
    await client.say('EHLO client.example');
    expect(await client.say(auth('joe', 'secret'))).toMatch(/^454 /);
    const faults = events.flatMap((event) => (event.kind === 'error' ? [inspect(event.cause)] : []));
    expect(faults).toEqual([expect.stringContaining('the database is down')]);
  });

  it.each([
    ['no names', {}, /^users: no names/],
    ['undefined', undefined as unknown as SubmissionOptions['users'], /^users: expected names and their passwords/],
    ['no checkers', [], /^users: the list of checkers is empty/],
    ['an empty password', { joe: '' }, /^users: "joe" has no password/],
  ])('refuses to start with %s', async (_name, users, message) => {
    await expect(started({ users })).rejects.toThrow(message);
  });

  it('throttles guesses by default, and with false does not', async () => {
    const limits = { ...QUICK, maxLoginFailures: 100 };
    const guess = async (server: SubmissionServer): Promise<string> => {
      const client = await greeted(server);
      await client.say('EHLO client.example');
      for (let n = 0; n < 10; n++) await client.say(auth('joe', `wrong ${n}`));
      return await client.say(auth('joe', 'secret'));
    };
    expect(await guess(await started({ limits }))).toMatch(/^454 4\.7\.0 /);
    expect(await guess(await started({ limits, throttle: false }))).toMatch(/^235 /);
  });
});

describe('the options deliver and deliveryFor', () => {
  it('a function gets the envelope and the message as sent', async () => {
    const delivered: unknown[] = [];
    const server = await started({
      deliver: async ({ user, from, to, envelope, mind, text }) => {
        delivered.push([user, from, to, envelope.id, mind.protocol, await text()]);
      },
    });
    const client = await loggedIn(server);
    expect(await send(client, 'Subject: x', '', '..a dot')).toMatch(/^250 2\.0\.0 OK (\w+)\r\n$/);
    expect(delivered).toEqual([
      [
        'joe',
        'joe@example.com',
        ['ann@example.com', 'bob@example.com'],
        expect.stringMatching(/^\w+$/),
        'smtp',
        expect.stringMatching(/^Received: from client\.example .*\r\nSubject: x\r\n\r\n\.a dot\r\n$/s),
      ],
    ]);
  });

  it('the reply to the client waits until the function has resolved', async () => {
    const safe = Promise.withResolvers<void>();
    const reading = Promise.withResolvers<void>();
    const server = await started({
      deliver: async (message) => {
        await message.bytes();
        reading.resolve();
        await safe.promise;
      },
    });
    const client = await loggedIn(server);
    let replied = false;
    const reply = send(client).then((line) => {
      replied = true;
      return line;
    });
    await reading.promise;
    expect(replied).toBe(false);
    safe.resolve();
    expect(await reply).toMatch(/^250 /);
  });

  it.each([
    ['a Rejection', () => Promise.reject(new Rejection(550, '5.7.1', 'Not like this')), '550 5.7.1 Not like this\r\n'],
    ['another error', () => Promise.reject(new Error('disk full')), /^451 (?!.*disk)/],
    [
      'an error thrown at once',
      () => {
        throw new Error('disk full');
      },
      /^451 /,
    ],
  ])('%s: the reply to the client, also during a long message', async (_name, deliver, reply) => {
    const client = await loggedIn(await started({ deliver }));
    expect(await send(client, ...Array.from({ length: 4000 }, () => 'x'.repeat(70)))).toEqual(
      typeof reply === 'string' ? reply : expect.stringMatching(reply),
    );
    expect(await send(client)).toMatch(/^(451|550) /);
  });

  it('a slow reader slows the client down', async () => {
    let octets = 0;
    let most = 0;
    const server = await started({
      deliver: async ({ stream }) => {
        for await (const chunk of stream) {
          octets += (chunk as Uint8Array).length;
          most = Math.max(most, stream.readableLength);
          await new Promise(setImmediate);
        }
      },
    });
    const client = await loggedIn(server);
    expect(await send(client, ...Array.from({ length: 20_000 }, () => 'x'.repeat(98)))).toMatch(/^250 /);
    expect(octets).toBeGreaterThan(2_000_000);
    expect(most).toBeLessThan(512 * 1024);
  });

  it.each([
    ['does not read', () => {}],
    [
      'leaves the stream early',
      async ({ stream }: Parameters<Deliver>[0]) => {
        for await (const _chunk of stream) break;
      },
    ],
  ] satisfies [string, Deliver][])('is accepted by a function that %s', async (_name, deliver) => {
    const client = await loggedIn(await started({ deliver }));
    expect(await send(client, ...Array.from({ length: 4000 }, () => 'x'.repeat(70)))).toMatch(/^250 /);
    expect(await send(client)).toMatch(/^250 /);
  });

  it('a function may pipe the stream and return at once', async () => {
    const chunks: Buffer[] = [];
    const server = await started({
      deliver: ({ stream }) => void stream.on('data', (chunk: Buffer) => chunks.push(chunk)),
    });
    const client = await loggedIn(server);
    expect(await send(client, ...Array.from({ length: 4000 }, () => 'x'.repeat(70)), 'last')).toMatch(/^250 /);
    expect(Buffer.concat(chunks).toString()).toMatch(/last\r\n$/);
  });

  it('the stream fails if the client disconnects', async () => {
    const undone = Promise.withResolvers<unknown>();
    const begun = Promise.withResolvers<void>();
    const server = await started({
      deliver: async ({ stream }) => {
        try {
          for await (const _chunk of stream) begun.resolve();
        } catch (error) {
          undone.resolve(error);
          throw error;
        }
      },
    });
    const client = await loggedIn(server);
    for (const line of ENVELOPE) await client.say(line);
    client.socket.write(`${'x'.repeat(70)}\r\n`.repeat(4000));
    await begun.promise;
    client.socket.destroy();
    expect(await undone.promise).toBeInstanceOf(Error);
  });

  it('one delivery for all users is disposed of with the server and at no logout', async () => {
    const calls: string[] = [];
    class Shared extends MessageDelivery implements AsyncDisposable {
      validateFrom(): void {}
      validateTo(): void {
        throw new Rejection(550, '5.1.1', 'No such user');
      }
      openMessage(): Message {
        return { write() {}, end() {}, abort() {} };
      }
      async [Symbol.asyncDispose](): Promise<void> {
        calls.push('disposed');
      }
    }
    const server = await started({ deliver: new Shared() });
    const client = await loggedIn(server);
    await client.say('MAIL FROM:<joe@example.com>');
    expect(await client.say('RCPT TO:<ann@example.com>')).toBe('550 5.1.1 No such user\r\n');
    await client.say('QUIT');
    expect(calls).toEqual([]);
    await server.close();
    expect(calls).toEqual(['disposed']);
  });

  it('a delivery of deliveryFor is disposed of at its logout', async () => {
    const calls: string[] = [];
    const deliveryFor: SubmissionOptions['deliveryFor'] = (user) => {
      class Mine extends MessageDelivery implements Disposable {
        validateFrom(): void {}
        validateTo(): void {}
        openMessage(): Message {
          return { write() {}, end: () => void calls.push(`message of ${String(user)}`), abort() {} };
        }
        [Symbol.dispose](): void {
          calls.push(`logout of ${String(user)}`);
        }
      }
      return new Mine();
    };
    const server = await started({ deliveryFor });
    const client = await loggedIn(server);
    expect(await send(client)).toMatch(/^250 /);
    await client.say('QUIT');
    await server.close();
    expect(calls).toEqual(['message of joe', 'logout of joe']);
  });

  it('exactly one of them is required', async () => {
    const options = { listen: LISTEN, users: USERS };
    await expect(submission(options as unknown as SubmissionOptions)).rejects.toThrow(/^deliver: expected/);
    const both = { ...options, deliver() {}, deliveryFor() {} };
    await expect(submission(both as unknown as SubmissionOptions)).rejects.toThrow(/expected exactly one of them/);
  });
});

it('an unknown option is a TypeError', async () => {
  const options: object = { tsl: { cert: 'cert.pem', key: 'key.pem' } };
  await expect(started(options)).rejects.toThrow(/^unknown option "tsl": expected listen, .*tls/);
});

describe('the option listen', () => {
  it('several URLs, with STARTTLS and TLS from the first byte', async () => {
    const { server: tls, ca } = await testCertificates();
    const server = await started({ listen: ['smtp://127.0.0.1:0?tls=required', 'smtps://[::1]:0'], tls });
    expect(server.listeners.map(({ url }) => url)).toEqual([
      expect.stringMatching(/^smtp:\/\/127\.0\.0\.1:\d+$/),
      expect.stringMatching(/^smtps:\/\/\[::1\]:\d+$/),
    ]);
    expect(server.url).toBe(`smtp://127.0.0.1:${server.port}`);
    const client = await greeted(server);
    expect(await client.say('EHLO client.example')).toMatch(/STARTTLS/);
    expect(await client.say(auth('joe', 'secret'))).toMatch(/^530 5\.7\.0 /);
    expect(await client.say('STARTTLS')).toMatch(/^220 /);
    client.socket = connectTls({ socket: client.socket, ca, servername: 'localhost' });
    await client.say('EHLO client.example');
    expect(await client.say(auth('joe', 'secret'))).toMatch(/^235 /);
    const port = server.listeners[1]?.address.port ?? 0;
    using other = new LineClient(connectTls({ host: '::1', port, ca, servername: 'localhost' }));
    expect(await other.hear()).toMatch(/^220 /);
  });

  it('certificate and key from files, which the server can reload', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'postern-submission-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const { cert, key } = await certificateFiles(folder);
    const server = await started({ listen: 'smtp://127.0.0.1:0', tls: { cert, key } });
    expect(await (await greeted(server)).say('EHLO client.example')).toMatch(/STARTTLS/);
    await server.reloadCertificates();
    await rm(cert);
    await expect(server.reloadCertificates()).rejects.toThrow(/^certificate: /);
  });

  it.each([
    ['http://127.0.0.1:25', /^listen: "http:\/\/127\.0\.0\.1:25": expected smtp:\/\/HOST:PORT, smtps/],
    ['lmtp://127.0.0.1:24', /expected smtp:\/\/HOST:PORT/],
    ['2525', /expected smtp:\/\/HOST:PORT/],
    ['smtp://127.0.0.1:0?tls=perhaps', /\?tls=offered, \?tls=required or \?tls=none/],
    ['smtp://127.0.0.1:0?service=mx', /service= is unknown; expected/],
    ['smtps://127.0.0.1:0?tls=none', /expected smtp:/],
    ['smtps://127.0.0.1:0', /^listen: smtps:\/\/127\.0\.0\.1:0 needs a certificate: expected tls: \{ cert, key \}$/],
    ['smtp://127.0.0.1:0?tls=required', /needs a certificate/],
  ])('refuses %s', async (listen, message) => {
    await expect(started({ listen })).rejects.toThrow(message);
  });

  it('all URLs or none', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    onTestFinished(() => void taken.close());
    const { port } = taken.address() as { port: number };
    const folder = await mkdtemp(join(tmpdir(), 'postern-submission-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const socket = join(folder, 'smtp');
    await expect(started({ listen: [`smtp+unix:${socket}`, `smtp://127.0.0.1:${port}`] })).rejects.toThrow();
    const client = connect(socket);
    await expect(once(client, 'connect')).rejects.toThrow(/ENOENT|ECONNREFUSED/);
  });

  it('warns of a listener that other machines reach without TLS', async () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    onTestFinished(() => warn.mockRestore());
    await started({ listen: ['smtp://127.0.0.1:0', 'smtp://*:0'], users: { joe: 'long enough' } });
    expect(warn.mock.calls.map(([text]) => text)).toEqual([expect.stringMatching(/^smtp:\/\/\*:0 has no TLS/)]);
  });

  it('warns of short passwords that other machines may guess', async () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    onTestFinished(() => warn.mockRestore());
    const users = new Map([
      ['joe', 'secret!'],
      ['ann', 'eight ch'],
    ]);
    await started({ users });
    expect(warn).not.toHaveBeenCalled();
    const { server: tls } = await testCertificates();
    await started({ listen: 'smtp://*:0', users, tls });
    expect(warn.mock.calls.map(([text]) => text)).toEqual([
      expect.stringMatching(/^users: the password of "joe" has fewer than 8 characters, .*; expected a longer one$/),
    ]);
  });

  it('the greeting has the option hostname, or a domain', async () => {
    const named = await started({ hostname: 'mail.example' });
    using client = new LineClient(connect(named.port, '127.0.0.1'));
    expect(await client.hear()).toMatch(/^220 mail\.example /);
  });
});

describe('close', () => {
  it('lets a transaction end, says 421, logs out, and disposes of the users last', async () => {
    const order: string[] = [];
    class Users implements Checker<UsernamePassword>, Disposable {
      readonly credentialInterfaces = [UsernamePassword] as const;
      requestAvatarId({ username, password }: UsernamePassword): string {
        if (password !== 'secret') throw new UnauthorizedLogin();
        return username;
      }
      [Symbol.dispose](): void {
        order.push('users');
      }
    }
    const server = await started({
      users: [new Users(), new AnonymousChecker()],
      deliver: async (message) => {
        await message.bytes();
        order.push('message');
      },
    });
    const client = await loggedIn(server);
    for (const line of ENVELOPE) await client.say(line);
    const closed = server.close().then(() => order.push('closed'));
    expect(await client.say('Subject: x\r\n\r\nHello\r\n.')).toMatch(/^250 /);
    expect(await client.hear()).toMatch(/^421 /);
    await closed;
    expect(order).toEqual(['message', 'users', 'closed']);
    expect(server.portal.openLogins).toBe(0);
    await expect(once(connect(server.port, '127.0.0.1'), 'connect')).rejects.toThrow(/ECONNREFUSED/);
  });
});

type Deliver = Extract<SubmissionOptions['deliver'], (...args: never[]) => unknown>;

async function started(options: Some): Promise<SubmissionServer> {
  const { deliver, deliveryFor, ...others } = options;
  const where = deliveryFor === undefined ? { deliver: deliver ?? (() => {}) } : { deliveryFor };
  const server = await submission({
    listen: LISTEN,
    users: USERS,
    limits: QUICK,
    shutdownTimeout: 5_000,
    ...others,
    ...where,
  });
  onTestFinished(() => server.close());
  return server;
}

async function greeted(server: SubmissionServer): Promise<LineClient> {
  const client = new LineClient(connect(server.port, '127.0.0.1'));
  onTestFinished(() => client[Symbol.dispose]());
  expect(await client.hear()).toMatch(/^220 /);
  return client;
}

async function loggedIn(server: SubmissionServer): Promise<LineClient> {
  const client = await greeted(server);
  await client.say('EHLO client.example');
  expect(await client.say(auth('joe', 'secret'))).toMatch(/^235 /);
  return client;
}

async function send(client: LineClient, ...lines: readonly string[]): Promise<string> {
  for (const line of ENVELOPE) expect(await client.say(line)).toMatch(/^(250|354) /);
  return await client.say([...lines, '.'].join('\r\n'));
}

function auth(username: string, password: string): string {
  return `AUTH PLAIN ${Buffer.from(`\0${username}\0${password}`).toString('base64')}`;
}

const ENVELOPE = [
  'MAIL FROM:<joe@example.com>',
  'RCPT TO:<ann@example.com>',
  'RCPT TO:<bob@example.com>',
  'DATA',
] as const;
