import { type ChildProcess, type ChildProcessByStdio, spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { appendFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { Conversation } from '@postern/conversation';
import { Mailbox } from '@postern/esmtp';
import { connectSmtp, type SmtpClient } from '@postern/esmtp/client';
import { connect as connectTransport } from '@postern/node';
import { AuthenticationFailure, plainResponder, scramResponder } from '@postern/sasl/client';
import { totpCode } from '@postern/users';
import { SqliteUserStore } from '@postern/users/sqlite';
import { describe, expect, it, onTestFinished } from 'vitest';
import { certificateFiles, testCertificates } from './support/certificates.ts';
import { Output } from './support/output.ts';
import { run } from './support/program.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

const FOLDER = join(import.meta.dirname, '..', 'examples');

/** Loads the packages from the command's bundle, which halves the time of a start. */
const BUNDLED = ['--import', new URL('support/bundled-packages.mjs', import.meta.url).href];

const MESSAGE = ['MAIL FROM:<ann@example.com>', 'RCPT TO:<console@localhost>', 'DATA'];
const BYTES = [Buffer.from('Subject: x\r\n\r\nHello\r\n')];
const BODY = ['Subject: x', '', 'Hello, console', '.'];

/** A function for each example that proves that the example works. */
const scenarios = new Map<string, () => Promise<void>>([
  ['console-esmtp-server', () => consoleServer('console-esmtp-server')],
  ['inversify-composition', () => consoleServer('inversify-composition')],
  [
    'cascading-checker',
    async () => {
      const { code, output } = await runExample('cascading-checker');
      expect(output.split('\n')).toEqual([
        'joe: Hello, joe!',
        'ann: Hello, ann!',
        'ann: UnauthorizedLogin: the credentials are not right',
        'bob: LoginDenied: login denied: disabled',
        'joe: Hello, joe!',
        expect.stringMatching(/^ann: TemporaryFailure: /),
        '',
      ]);
      expect(code).toBe(0);
    },
  ],
  [
    'custom-decision',
    async () => {
      const server = await serve('custom-decision');
      const logIn = async (...lines: readonly string[]): Promise<string> => {
        const client = await talk(server.ports[0]);
        expect(await client.say('EHLO client.example')).toMatch(/^250[ -]AUTH X-TOKEN .*PLAIN/m);
        let reply = '';
        for (const line of lines) reply = await client.say(line);
        return reply;
      };
      const plain = (user: string, password: string): string => `AUTH PLAIN ${base64(`\0${user}\0${password}`)}`;
      expect(await logIn(plain('joe', 's3cret'))).toMatch(/^334 /);
      expect(await logIn(plain('joe', 's3cret'), base64('123456'))).toMatch(/^235 /);
      expect(await logIn(plain('joe', 's3cret'), base64('654321'))).toBe('535 5.7.8 Wrong code');
      expect(await logIn(plain('joe', 'wrong'))).toBe('535 5.7.8 Authentication failed');
      expect(await logIn(plain('ann', 'hunter2'))).toMatch(/^235 /);
      expect(await logIn(plain('eve', 'any'))).toBe('550 5.7.1 Not any more');
      expect(await logIn(`AUTH X-TOKEN ${base64('t0ken')}`)).toMatch(/^235 /);
      expect(await logIn(`AUTH X-TOKEN ${base64('nothing')}`)).toBe('535 5.7.8 Authentication failed');
      expect(await logIn(`AUTH X-TOKEN ${base64('old-t0ken')}`)).toMatch(/^454 4\.7\.0 Tokens are being renewed/);
      expect((await server.printed(/joe\n.*ann@.*joe\n/s)).match(/^logged in: .*$/gm)).toEqual([
        'logged in: joe',
        'logged in: ann@example.com',
        'logged in: joe',
      ]);
    },
  ],
  [
    'custom-mechanism',
    async () => {
      const server = await serve('custom-mechanism');
      for (const [password, answer] of [
        ['password', '235'],
        ['wrong', '535'],
      ] as const) {
        const client = await talk(server.ports[0]);
        expect(await client.say('EHLO client.example')).toMatch(/^250[ -]AUTH X-HMAC-SHA256 /m);
        expect(await client.say('AUTH X-HMAC-SHA256')).toBe(`334 ${base64('name')}`);
        const [, nonce = ''] = (await client.say(base64('joe'))).split(' ');
        const digest = createHmac('sha256', password).update(Buffer.from(nonce, 'base64')).digest('base64');
        expect(await client.say(digest)).toMatch(new RegExp(`^${answer} `));
      }
      const client = await talk(server.ports[0]);
      await client.say('EHLO client.example');
      await client.say('AUTH X-HMAC-SHA256');
      await client.say(base64('joe'));
      expect(await client.say(base64('too short'))).toMatch(/^501 /);
    },
  ],
  [
    'sasl-client',
    async () => {
      const { ports } = await serve('console-esmtp-server');
      const right = await runExample('sasl-client', 'localhost', String(ports[0]), 'joe', 'password');
      expect(right.output).toMatch(/^offered: .*SCRAM-SHA-256.*\nlogged in as joe by SCRAM-SHA-256\n$/);
      expect(right.code).toBe(0);
      const wrong = await runExample('sasl-client', 'localhost', String(ports[0]), 'joe', 'wrong');
      expect(wrong.output).toMatch(/\nAuthenticationFailure: /);
      expect(wrong.code).toBe(1);
    },
  ],
  [
    'authenticated-relayer',
    async () => {
      const smarthost = await serve('console-esmtp-server');
      const server = await serve('authenticated-relayer', `localhost:${smarthost.ports[0]}`, 'joe', 'password');
      const client = await talk(server.ports[0]);
      await client.say('EHLO client.example');
      expect(await client.say(`AUTH PLAIN ${base64('\0joe\0s3cret')}`)).toMatch(/^235 /);
      expect(await client.say('MAIL FROM:<ann@example.org>')).toMatch(/^553 5\.7\.1 /);
      expect(await client.say('MAIL FROM:<joe@example.com>')).toMatch(/^250 /);
      // The refusal comes from the smarthost, which has one user only.
      expect(await client.say('RCPT TO:<bob@localhost>')).toBe('550 5.1.1 No such user here');
      expect(await client.say('RCPT TO:<console@localhost>')).toMatch(/^250 /);
      expect(await client.say('DATA')).toMatch(/^354 /);
      expect(await client.say(...BODY)).toMatch(/^250 /);
      expect(await smarthost.printed(/Hello, console/)).toMatch(/^Received: from client\.example/m);
    },
  ],
  [
    'two-avatars',
    async () => {
      const { ports } = await serve('two-avatars');
      const sender = await talk(ports[0]);
      await sender.say('EHLO client.example');
      expect(await sender.say(`AUTH PLAIN ${base64('\0joe\0s3cret')}`)).toMatch(/^235 /);
      await sender.say('MAIL FROM:<joe@example.com>');
      await sender.say('RCPT TO:<joe@example.com>');
      await sender.say('DATA');
      expect(await sender.say('Subject: for me', '', 'Hello', '.')).toMatch(/^250 /);
      const reader = await talk(ports[1], false);
      expect(await reader.say('LIST')).toBe('what?');
      expect(await reader.say('LOGIN joe wrong')).toBe('no');
      expect(await reader.say('LOGIN joe s3cret')).toBe('welcome');
      expect(await reader.say('LIST')).toBe('for me');
      const other = await talk(ports[1], false);
      await other.say('LOGIN ann hunter2');
      expect(await other.say('LIST')).toBe('nothing');
      expect(await other.say('BYE')).toBe('bye');
    },
  ],
  ['submission-server', submissionServer],
  ['sqlite-users', sqliteUsers],
  [
    'own-database',
    async () => {
      const server = await serve('own-database');
      const { ports } = server;
      expect(await plainReply(ports[0], 'joe@example.com', 'wrong')).toMatch(/^535 /);
      expect(await plainReply(ports[0], 'bob@example.com', 'password')).toMatch(/^535 /);
      expect(await plainReply(ports[0], 'eve@example.com', 'password')).toMatch(/^5/);
      expect(await plainReply(ports[0], 'ANN@example.com', 's3cret')).toMatch(/^235 /);
      expect(await plainReply(ports[0], 'joe@example.com', 'password', ...MESSAGE, BODY)).toMatch(/^250 /);
      expect(await server.printed(/writes/)).toContain('Joe@example.com writes to console@localhost');
    },
  ],
  ['htpasswd-domains', htpasswdDomains],
  [
    'second-factor',
    async () => {
      const server = await serve('second-factor');
      const { ports } = server;
      const output = await server.printed(/mail program: .*\n/);
      const [, secret = ''] = /otpauth:\S*[?&]secret=([A-Z2-7]+)/.exec(output) ?? [];
      const [, phone = ''] = /mail program: (.*)/.exec(output) ?? [];
      const password = 'correct horse battery staple';
      expect(await plainReply(ports[0], 'joe', password)).toMatch(/^535 /);
      expect(await plainReply(ports[0], 'joe', `${password}${totpCode({ secret })}`)).toMatch(/^235 /);
      expect(await plainReply(ports[0], 'joe', phone)).toMatch(/^235 /);
      const client = await talk(ports[0]);
      await client.say('EHLO client.example');
      await client.say('AUTH LOGIN');
      await client.say(base64('joe'));
      expect(await client.say(base64(password))).toBe(`334 ${base64('Code:')}`);
      // Each code is accepted once: the next step is in the window.
      expect(await client.say(base64(totpCode({ secret }, Date.now() + 30_000)))).toMatch(/^235 /);
    },
  ],
  ['two-domains', twoDomains],
  ['mail-account', mailAccount],
]);

const examples = readdirSync(FOLDER)
  .filter((file) => file.endsWith('.ts'))
  .map((file) => file.slice(0, -'.ts'.length));

describe('the example', () => {
  it.each(examples)('%s starts and answers', async (name) => {
    const scenario = scenarios.get(name);
    if (scenario === undefined) throw new Error(`no scenario for examples/${name}.ts`);
    await scenario();
  });
});

/** Expects a toy server that lets the demo user in, accepts mail for the console and prints it. */
async function consoleServer(name: string): Promise<void> {
  const server = await serve(name);
  const client = await talk(server.ports[0]);
  expect(await client.say('EHLO client.example')).toMatch(/^250[ -]AUTH .*PLAIN/m);
  expect(await client.say('MAIL FROM:<ann@example.com>')).toMatch(/^530 /);
  expect(await client.say(`AUTH PLAIN ${base64('\0joe\0wrong')}`)).toMatch(/^535 /);
  expect(await client.say(`AUTH PLAIN ${base64('\0joe\0password')}`)).toMatch(/^235 /);
  expect(await client.say('MAIL FROM:<ann@example.com>')).toMatch(/^250 /);
  expect(await client.say('RCPT TO:<bob@localhost>')).toMatch(/^550 /);
  await client.say('RSET');
  for (const line of MESSAGE) expect(await client.say(line)).toMatch(/^(250|354) /);
  expect(await client.say(...BODY)).toMatch(/^250 /);
  expect(await client.say('QUIT')).toMatch(/^221 /);
  expect(await server.printed(/Hello, console/)).toContain('New message received:');
}

/**
 * Adds a user, sends mail as that user under TLS, reloads users and certificate, and stops the
 * server.
 */
async function submissionServer(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'postern-example-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const { ca, cert, key } = await certificateFiles(folder);
  const users = join(folder, 'users.txt');
  const addUser = async (username: string, password: string): Promise<void> => {
    const { code, output } = await run(
      process.execPath,
      [...commandLine('submission-server'), 'add', username],
      `${password}\n`,
    );
    expect([code, output]).toEqual([0, expect.stringMatching(/^\S+ SCRAM-SHA-512\$60000:\S+\n$/)]);
    await appendFile(users, output);
  };
  await addUser('joe@example.com', 'correct horse');
  const urls = ['smtp://127.0.0.1:0?tls=required', 'smtps://127.0.0.1:0'];
  const server = await served('submission-server', [users, join(folder, 'mail'), cert, key, ...urls], urls.length);
  const logIn = async (username: string, password: string, implicit = false): Promise<SmtpClient> => {
    const endpoint = { host: '127.0.0.1', port: server.ports[implicit ? 1 : 0] ?? 0 };
    const transport = await connectTransport({ endpoint, ca, tlsPolicy: implicit ? 'implicit' : 'offered' });
    const responder = scramResponder({ username, password, hash: 'sha512' });
    const client = await connectSmtp(transport, { hostname: 'client.example', responders: [responder] });
    onTestFinished(() => client[Symbol.asyncDispose]());
    return client;
  };

  await expect(logIn('joe@example.com', 'wrong')).rejects.toThrow(AuthenticationFailure);
  await expect(logIn('ann@example.com', 'battery staple')).rejects.toThrow(AuthenticationFailure);
  const joe = await logIn('joe@example.com', 'correct horse');
  const [from, to] = [new Mailbox('joe', 'example.com'), new Mailbox('bob', 'example.com')];
  await expect(joe.send({ from: to, to: [to] }, BYTES)).rejects.toThrow(/553/);
  expect(await joe.send({ from, to: [to] }, BYTES)).toEqual([expect.objectContaining({ code: 250 })]);
  const [file = ''] = await readdir(join(folder, 'mail', 'bob@example.com', 'new'));
  expect(await readFile(join(folder, 'mail', 'bob@example.com', 'new', file), 'utf8')).toMatch(/Hello\r?\n$/);

  await addUser('ann@example.com', 'battery staple');
  server.child.kill('SIGHUP');
  await server.printed(/^reloaded$/m);
  const plain = plainResponder({ username: 'ann@example.com', password: 'battery staple' });
  const endpoint = { host: '127.0.0.1', port: server.ports[1] ?? 0 };
  const transport = await connectTransport({ endpoint, ca, tlsPolicy: 'implicit' });
  await using ann = await connectSmtp(transport, { hostname: 'client.example', responders: [plain] });
  expect(ann.responder?.mechanism).toBe('PLAIN');

  const ended = once(server.child, 'close');
  server.child.kill('SIGTERM');
  expect(await ended).toEqual([0, null]);
  const log = await server.printed(/^stopped$/m);
  expect(log).not.toMatch(/correct horse|battery|wrong/);
  expect(log).toMatch(/^logged in .*mechanism=SCRAM-SHA-512.*user=joe@example\.com/m);
  expect(log).toMatch(/^message accepted .*to=\S*bob@example\.com/m);
  expect(log).toMatch(/^login refused remote=127\.0\.0\.1/m);
}

/** Adds users to a database, also while the server runs, and logs in by several mechanisms. */
async function sqliteUsers(): Promise<void> {
  using folder = temporaryFolder('example');
  const database = join(folder.path, 'users.db');
  const addUser = async (name: string): Promise<void> => {
    const args = [...commandLine('sqlite-users'), 'add', name, database];
    expect((await run(process.execPath, args, 'correct horse\n')).output).toContain(`added ${name}\n`);
  };
  await addUser('joe');
  const { ports } = await served('sqlite-users', ['serve', '0', database], 1);
  await addUser('Ann');
  expect(await plainReply(ports[0], 'ann', 'correct horse')).toMatch(/^235 /);
  expect(await plainReply(ports[0], 'joe', 'wrong')).toMatch(/^535 /);
  const { output } = await runExample('sasl-client', 'localhost', String(ports[0]), 'joe', 'correct horse');
  expect(output).toMatch(/\nlogged in as joe by SCRAM-SHA-256\n$/);
}

/** Logs in to a domain with an htpasswd file, which then changes, and to another domain. */
async function htpasswdDomains(): Promise<void> {
  using folder = temporaryFolder('example');
  const [htpasswd, database] = ['a.htpasswd', 'users.db'].map((name) => join(folder.path, name)) as [string, string];
  // "password" by bcrypt.
  const hash = '$2b$06$QeJf01GYppbNKQqJZ84EVeISb/VdTVE15q60xrq/Ixxh8mYQBs4H2';
  await writeFile(htpasswd, `joe@a.example:${hash}\n`);
  await using users = await SqliteUserStore.open(database);
  await users.add({ name: 'joe@b.example', secrets: [hash] });
  const { ports } = await served('htpasswd-domains', ['0', htpasswd, database], 1);
  for (const name of ['joe@a.example', 'Joe@A.example', 'joe@b.example']) {
    expect(await plainReply(ports[0], name, 'password')).toMatch(/^235 /);
  }
  expect(await plainReply(ports[0], 'ann@a.example', 'password')).toMatch(/^535 /);
  await appendFile(htpasswd, `ann@a.example:${hash}\n`);
  await expect.poll(() => plainReply(ports[0], 'ann@a.example', 'password')).toMatch(/^235 /);
}

/**
 * Logs in by PLAIN and says the lines. Resolves to the last reply; a list of lines gets one reply.
 */
async function plainReply(
  port: number | undefined,
  username: string,
  password: string,
  ...lines: readonly (string | readonly string[])[]
): Promise<string> {
  const client = await talk(port);
  await client.say('EHLO client.example');
  let reply = await client.say(`AUTH PLAIN ${base64(`\0${username}\0${password}`)}`);
  for (const line of lines) reply = await client.say(...[line].flat());
  return reply;
}

/** Logs in to each of two domains on one listener: the password of the other domain is wrong. */
async function twoDomains(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'postern-example-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const { authority, ca } = await testCertificates();
  const files: string[] = [];
  for (const name of ['one.example', 'two.example']) {
    const { cert, key } = await authority.server([name]);
    files.push(join(folder, `${name}.pem`), join(folder, `${name}.key`));
    await writeFile(files.at(-2) ?? '', cert);
    await writeFile(files.at(-1) ?? '', key);
  }
  const server = await serve('two-domains', ...files);
  const logIn = async (domain: string, password: string): Promise<string> => {
    const endpoint = { host: 'localhost', port: server.ports[0] ?? 0 };
    const transport = await connectTransport({ endpoint, ca, serverName: domain, tlsPolicy: 'implicit' });
    const client = new Conversation(transport);
    onTestFinished(() => client.destroy());
    expect(await client.hearLine(512)).toMatch(new RegExp(`^220 ${domain} `));
    client.say('EHLO client.example\r\n');
    let line: string | undefined;
    do line = await client.hearLine(512);
    while (line?.startsWith('250-'));
    client.say(`AUTH PLAIN ${base64(`\0joe\0${password}`)}\r\n`);
    return String(await client.hearLine(512));
  };
  expect(await logIn('one.example', 'apple')).toMatch(/^235 /);
  expect(await logIn('two.example', 'banana')).toMatch(/^235 /);
  expect(await logIn('two.example', 'apple')).toMatch(/^535 /);
  expect(await logIn('one.example', 'banana')).toMatch(/^535 /);
  expect((await server.printed(/two\.example$/m)).match(/^logged in: .*$/gm)).toEqual([
    'logged in: joe@one.example',
    'logged in: joe@two.example',
  ]);
}

/** Expects one user to send, to fetch, and to reach the IMAP server with one password. */
async function mailAccount(): Promise<void> {
  const backEnd = createServer((socket) => {
    socket.setEncoding('latin1').on('data', (text: string) => {
      const [tag, verb] = text.split(' ');
      socket.write(verb === 'AUTHENTICATE' ? `${tag} OK [CAPABILITY IMAP4rev1] ann\r\n` : `${tag} OK ${verb}\r\n`);
    });
    socket.write('* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ready\r\n');
  });
  await once(backEnd.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => void backEnd.close());
  const imapServer = `127.0.0.1:${(backEnd.address() as AddressInfo).port}`;
  const folder = temporaryFolder('mail-account');
  onTestFinished(() => folder[Symbol.dispose]());
  const { ports } = await serve('mail-account', folder.path, imapServer);
  const credentials = base64('\0ann@example.com\0s3cret');

  const sender = await talk(ports[0]);
  await sender.say('EHLO client.example');
  expect(await sender.say(`AUTH PLAIN ${credentials}`)).toMatch(/^235 /);
  await sender.say('MAIL FROM:<ann@example.com>');
  await sender.say('RCPT TO:<ann@example.com>');
  await sender.say('DATA');
  expect(await sender.say('Subject: for me', '', 'Hello', '.')).toMatch(/^250 /);

  const reader = await talk(ports[1]);
  expect(await reader.say('USER ann@example.com')).toMatch(/^\+OK /);
  expect(await reader.say('PASS s3cret')).toMatch(/^\+OK maildrop has 1 message/);
  expect(await reader.say('DELE 1')).toMatch(/^\+OK/);
  expect(await reader.say('QUIT')).toMatch(/^\+OK/);

  const imap = await talk(ports[2]);
  expect(await imap.say(`a AUTHENTICATE PLAIN ${credentials}`)).toMatch(/^a OK \[CAPABILITY IMAP4rev1\]/);
  expect(await imap.say('b SELECT INBOX')).toBe('b OK SELECT');
}

/** The numbers of listeners of the examples with more than one. */
const LISTENERS: ReadonlyMap<string, number> = new Map([
  ['mail-account', 3],
  ['two-avatars', 2],
]);

interface Served {
  readonly child: ChildProcess;
  /** The ports of the listeners, in the order of the `listening` lines. */
  readonly ports: readonly number[];
  /** Resolves to the whole output as soon as it matches; rejects if the example ends before. */
  printed(pattern: RegExp): Promise<string>;
}

/** Starts an example on free ports, with more arguments. The end of the test ends the example. */
function serve(name: string, ...args: readonly string[]): Promise<Served> {
  return served(name, ['0', ...args], LISTENERS.get(name) ?? 1);
}

/** Starts an example with `listeners` listeners. The end of the test ends the example. */
async function served(name: string, args: readonly string[], listeners: number): Promise<Served> {
  const child = start(name, ...args);
  const closed = once(child, 'close');
  onTestFinished(async () => {
    child.kill();
    await closed;
  });
  const output = new Output();
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => output.append(text));
  }
  void closed.then(() => output.end(`examples/${name} ended`));
  const printed = async (pattern: RegExp): Promise<string> => {
    await output.said(pattern);
    return output.text;
  };
  const text = await printed(new RegExp(`(listening .*\\n){${listeners}}`));
  return { child, ports: Array.from(text.matchAll(/^listening .*:(\d+)$/gm), ([, port]) => Number(port)), printed };
}

/** Runs an example until it ends by itself. */
function runExample(name: string, ...args: readonly string[]): Promise<{ code: number | null; output: string }> {
  return run(process.execPath, [...commandLine(name), ...args]);
}

function start(name: string, ...args: readonly string[]): ChildProcessByStdio<null, Readable, Readable> {
  return spawn(process.execPath, [...commandLine(name), ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
}

/**
 * Returns the arguments with which Node runs an example. Node strips types but knows no decorators,
 * so the examples run as built.
 */
function commandLine(name: string): readonly string[] {
  return [...(AS_INSTALLED.has(name) ? [] : BUNDLED), join(FOLDER, 'dist', `${name}.js`)];
}

/** The examples for which Node finds each file of the packages as in an installation. */
const AS_INSTALLED: ReadonlySet<string> = new Set(['cascading-checker', 'console-esmtp-server']);

/** Connects a client whose `say` sends lines and resolves to one reply to all of them. */
async function talk(port = 0, greeted = true): Promise<{ say(...lines: readonly string[]): Promise<string> }> {
  const socket = connect(port, 'localhost');
  onTestFinished(() => void socket.destroy());
  const lines = createInterface({ input: socket })[Symbol.asyncIterator]();
  const hear = async (): Promise<string> => {
    const heard: string[] = [];
    do heard.push(String((await lines.next()).value));
    while (/^\d{3}-/.test(heard.at(-1) ?? ''));
    return heard.join('\n');
  };
  if (greeted) expect(await hear()).toMatch(/^(?:220|\+OK|\* OK) /);
  return {
    say(...texts) {
      socket.write(texts.map((line) => `${line}\r\n`).join(''));
      return hear();
    },
  };
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
