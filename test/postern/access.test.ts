import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import type { AvatarId } from '@postern/cred';
import { InMemoryMailbox } from '@postern/pop3';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { silentLog } from '../../packages/postern/src/log.ts';
import { startServer } from '../../packages/postern/src/serve.ts';
import { settingsOf } from '../../packages/postern/src/settings.ts';
import { startImapBackEnd, startSieveBackEnd, type TestBackEnd } from '../support/back-end.ts';
import { type CertificateFiles, certificateFiles } from '../support/certificates.ts';
import { runInProcess, startInProcess } from '../support/in-process.ts';
import { LineClient, POP3_LINE, POP3_LINES } from '../support/line-client.ts';
import { type ServingPostern, startPostern } from '../support/postern.ts';
import { words } from '../support/program.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/temporary-folder.ts';

let folder: TemporaryFolder;
let files: CertificateFiles;
beforeAll(async () => {
  folder = temporaryFolder('access');
  files = await certificateFiles(folder.path);
  process.env['BACK_END_PASSWORD'] = 'm4ster';
});
afterAll(() => {
  Reflect.deleteProperty(process.env, 'BACK_END_PASSWORD');
  folder[Symbol.dispose]();
});

const USERS = words`--auth memory:joe:s3cret --auth memory:ann:s3cret --domains example.com`;

describe('one process', () => {
  it('serves SMTP, LMTP, POP3, IMAP and ManageSieve to the same user', async () => {
    await using imap = await startImapBackEnd();
    await using sieve = await startSieveBackEnd();
    await using server = await startInProcess(
      ...words`--listen smtp://127.0.0.1:0 --listen lmtp://127.0.0.1:0 --listen pop3://127.0.0.1:0`,
      ...words`--listen imap://127.0.0.1:0 --listen sieve://127.0.0.1:0 ${USERS}`,
      ...words`--deliver maildir:${join(folder.path, 'all')}`,
      ...backEnds(imap, sieve),
    );
    expect(server.urls.map(({ protocol }) => protocol)).toEqual(['smtp:', 'lmtp:', 'pop3:', 'imap:', 'sieve:']);

    using submitter = await clientOf(server, 0);
    await submitter.say('EHLO client.example.org');
    expect(await submitter.say(`AUTH PLAIN ${plain('joe')}`)).toMatch(/^235 /);
    await send(submitter, 'joe@example.com', 'by ESMTP');
    using relay = await clientOf(server, 1);
    await relay.say('LHLO client.example.org');
    await send(relay, 'joe@example.com', 'by LMTP');

    using reader = await clientOf(server, 2, POP3_LINE);
    await reader.say('USER joe', POP3_LINE);
    expect(await reader.say('PASS s3cret', POP3_LINE)).toMatch(/^\+OK/);
    expect(await reader.say('STAT', POP3_LINE)).toMatch(/^\+OK 2 \d+/);
    const messages = [await reader.say('RETR 1', POP3_LINES), await reader.say('RETR 2', POP3_LINES)].join('');
    for (const subject of ['by ESMTP', 'by LMTP']) expect(messages).toContain(`Subject: ${subject}\r\n`);
    expect(await reader.say('DELE 1', POP3_LINE)).toMatch(/^\+OK/);
    expect(await reader.say('QUIT', POP3_LINE)).toMatch(/^\+OK/);

    using browser = await clientOf(server, 3, IMAP_LINES);
    expect(await browser.say(`a1 AUTHENTICATE PLAIN ${plain('joe')}`, IMAP_LINES)).toMatch(/^a1 OK/m);
    expect(await browser.say('a2 SELECT INBOX', ECHO)).toBe('echo a2 SELECT INBOX\r\n');
    expect(imap.lines.at(-1)).toContain(Buffer.from('joe\0postern\0m4ster').toString('base64'));

    using filters = await clientOf(server, 4, SIEVE_OK);
    expect(await filters.say(`AUTHENTICATE "PLAIN" "${plain('joe')}"`, SIEVE_OK)).toMatch(/^OK/m);
    expect(await filters.say('LISTSCRIPTS', ECHO)).toBe('echo LISTSCRIPTS\r\n');
    expect(sieve.lines.at(-1)).toContain(Buffer.from('joe\0postern\0m4ster').toString('base64'));
    browser.socket.end();
    filters.socket.end();
    await server.said(/proxied session ended .*user=joe/, 2);
    await server.stop();

    expect(server.output()).toMatch(/ logged in remote=127\.0\.0\.1:\d+ mechanism=PLAIN user=joe\n/);
    expect(server.output()).toMatch(/ mailbox closed .*user=joe reason=quit messages=2 retrieved=2 .*deleted=1\n/);
    expect(server.output()).not.toMatch(/s3cret|m4ster/);
  });
});

describe('a POP3 listener', () => {
  it('is TLS with pop3s://, and waits for STLS with ?tls=required', async () => {
    await using server = await startInProcess(
      ...words`--listen pop3s://127.0.0.1:0 --listen pop3://127.0.0.1:0?tls=required ${USERS} --log silent`,
      ...words`--deliver maildir:${join(folder.path, 'tls')} --tls-cert ${files.cert} --tls-key ${files.key}`,
    );
    using secure = new LineClient(connectTls({ port: portOf(server, 0), rejectUnauthorized: false }));
    expect(await secure.hear(POP3_LINE)).toMatch(/^\+OK/);
    expect(await secure.say('CAPA', POP3_LINES)).toMatch(/^SASL .*PLAIN/m);
    await logIn(secure, 'joe');

    using plainText = await clientOf(server, 1, POP3_LINE);
    const capabilities = await plainText.say('CAPA', POP3_LINES);
    expect(capabilities).toMatch(/^STLS\r$/m);
    expect(capabilities).not.toMatch(/^(?:SASL|USER)/m);
    expect(await plainText.say('USER joe', POP3_LINE)).toMatch(/^-ERR/);
  });

  it('opens the Maildirs of --mailboxes where mail is sent on', async () => {
    const mail = join(folder.path, 'mailboxes');
    await using server = await startInProcess(
      ...words`--listen pop3://127.0.0.1:0 ${USERS} --deliver smtp:127.0.0.1:1 --mailboxes maildir:${mail} --log silent`,
    );
    using reader = await clientOf(server, 0, POP3_LINE);
    await logIn(reader, 'joe');
    expect(await reader.say('STAT', POP3_LINE)).toBe('+OK 0 0\r\n');
  });

  it('opens the mailboxes of a function', async () => {
    const config = {
      listen: ['pop3://127.0.0.1:0'],
      auth: ['memory:joe:s3cret'],
      mailboxes: (user: AvatarId) => new InMemoryMailbox([`Subject: for ${String(user)}\r\n\r\n`]),
    };
    const server = await startServer(settingsOf({ config, nameOf: String }), { log: silentLog, print: async () => {} });
    onTestFinished(() => server.close(0));
    using reader = new LineClient(connect(Number(server.listeners[0]?.address.port), '127.0.0.1'));
    await reader.hear(POP3_LINE);
    await logIn(reader, 'joe');
    expect(await reader.say('RETR 1', POP3_LINES)).toContain('Subject: for joe');
  });

  it("gives no user another user's mailbox", async () => {
    const mail = join(folder.path, 'own');
    await using server = await startInProcess(
      ...words`--listen smtp://127.0.0.1:0?service=mx --listen pop3://127.0.0.1:0 ${USERS} --deliver maildir:${mail}`,
      ...words`--auth memory:ann+joe:s3cret --auth anonymous`,
    );
    using sender = await clientOf(server, 0);
    await sender.say('EHLO client.example.org');
    await send(sender, 'ann@example.com', 'for Ann');

    using joe = await clientOf(server, 1, POP3_LINE);
    expect(await joe.say('CAPA', POP3_LINES)).not.toContain('ANONYMOUS');
    expect(await joe.say('AUTH ANONYMOUS eA==', POP3_LINE)).toMatch(/^-ERR/);
    const asAnn = Buffer.from('ann\0joe\0s3cret').toString('base64');
    expect(await joe.say(`AUTH PLAIN ${asAnn}`, POP3_LINE)).toMatch(/^-ERR \[AUTH\]/);
    await logIn(joe, 'joe');
    expect(await joe.say('STAT', POP3_LINE)).toBe('+OK 0 0\r\n');

    using tagged = await clientOf(server, 1, POP3_LINE);
    expect(await tagged.say(`AUTH PLAIN ${plain('ann+joe')}`, POP3_LINE)).toMatch(/^-ERR \[SYS\/PERM\]/);
    await server.said(/failure .*culprit=operator .*the user ann\+joe has no mailbox/);

    using ann = await clientOf(server, 1, POP3_LINE);
    await logIn(ann, 'ann');
    expect(await ann.say('STAT', POP3_LINE)).toMatch(/^\+OK 1 /);
    using again = await clientOf(server, 1, POP3_LINE);
    expect(await again.say(`AUTH PLAIN ${plain('ann')}`, POP3_LINE)).toMatch(/^-ERR \[IN-USE\]/);
  });

  it('has no USER and no APOP where the mechanisms leave out passwords and MD5', async () => {
    await using server = await startInProcess(
      ...words`--listen pop3://127.0.0.1:0 ${USERS} --deliver maildir:${join(folder.path, 'scram')} --log silent`,
      ...words`--mechanisms SCRAM-SHA-256`,
    );
    using client = await clientOf(server, 0, POP3_LINE);
    expect(await client.say('CAPA', POP3_LINES)).toMatch(/^SASL SCRAM-SHA-256\r$/m);
    expect(await client.say('USER joe', POP3_LINE)).toMatch(/^-ERR/);
    expect(await client.say(`APOP joe ${'0'.repeat(32)}`, POP3_LINE)).toMatch(/^-ERR/);
  });

  it('gives a client the time of a shutdown to take a message', async () => {
    const mail = join(folder.path, 'shutdown');
    const server = await startInProcess(
      ...words`--listen lmtp://127.0.0.1:0 --listen pop3://127.0.0.1:0 ${USERS} --deliver maildir:${mail}`,
    );
    using relay = await clientOf(server, 0);
    await relay.say('LHLO client.example.org');
    await send(relay, 'joe@example.com', 'long', `${'x'.repeat(70)}\r\n`.repeat(100_000));
    using reader = await clientOf(server, 1, POP3_LINE);
    await logIn(reader, 'joe');
    reader.socket.write('RETR 1\r\n');
    await reader.hear(/^\+OK.*\r\n/);
    reader.socket.pause();
    const ended = server.stop();
    await server.said(/stopping/);
    reader.socket.resume();
    await once(reader.socket, 'close');
    expect((await reader.hear(/^[\s\S]*?\r\n\.\r\n/)).length).toBeGreaterThan(7_000_000);
    await ended;
    expect(server.output()).not.toContain('cut off');
  });
});

describe('the throttle', () => {
  it('stops a guesser at POP3 for what the guesser did at SMTP', async () => {
    const config = join(folder.path, 'throttle.config.mjs');
    writeFileSync(config, 'export default { throttle: { userAndNetwork: { failures: 3, window: 600_000 } } };');
    await using server = await startInProcess(
      ...words`--listen smtp://127.0.0.1:0 --listen pop3://127.0.0.1:0 ${USERS} --config ${config}`,
      ...words`--deliver maildir:${join(folder.path, 'throttle')}`,
    );
    using guesser = await clientOf(server, 0);
    await guesser.say('EHLO client.example.org');
    for (const guess of ['one', 'two', 'three']) {
      expect(await guesser.say(`AUTH PLAIN ${plain('joe', guess)}`)).toMatch(/^535 /);
    }
    using reader = await clientOf(server, 1, POP3_LINE);
    expect(await reader.say(`AUTH PLAIN ${plain('joe')}`, POP3_LINE)).toMatch(/^-ERR \[SYS\/TEMP\]/);
    await server.said(/login refused .*mechanism=PLAIN code=denied reason=too-many .*reply="-ERR/);
    using other = await clientOf(server, 1, POP3_LINE);
    await logIn(other, 'ann');
  });
});

describe('the back end of an IMAP listener', () => {
  it('that cannot be reached is an error of the operator, and a temporary failure for the client', async () => {
    await using server = await startInProcess(
      ...words`--listen imap://127.0.0.1:0 ${USERS}`,
      ...words`--back-end imap://127.0.0.1:1?masterUser=postern&password=env:BACK_END_PASSWORD`,
    );
    using client = await clientOf(server, 0, IMAP_LINES);
    expect(await client.say(`a1 AUTHENTICATE PLAIN ${plain('joe')}`, IMAP_LINES)).toMatch(/^a1 NO \[UNAVAILABLE\]/m);
    await server.said(/ error failure .*culprit=operator/);
  });
});

describe('the options of POP3, IMAP and ManageSieve', () => {
  const auth = words`serve --auth memory:joe:s3cret`;
  it.each([
    [
      words`--listen pop3://127.0.0.1:0`,
      'pop3://127.0.0.1:0: expected --deliver maildir:DIR, or --mailboxes maildir:DIR',
    ],
    [
      words`--listen pop3://127.0.0.1:0 --deliver smtp:127.0.0.1:25`,
      'pop3://127.0.0.1:0: expected --deliver maildir:DIR, or --mailboxes',
    ],
    [words`--listen pop3://127.0.0.1:0 --mailboxes mbox:x`, '--mailboxes: expected maildir:DIR'],
    [
      words`--listen pop3s://127.0.0.1:0 --deliver maildir:x`,
      '"pop3s://127.0.0.1:0": expected --tls-cert and --tls-key',
    ],
    [words`--listen imap://127.0.0.1:0`, "imap://127.0.0.1:0: expected --back-end 'imap://HOST:PORT?masterUser="],
    [words`--listen sieve://127.0.0.1:0`, "sieve://127.0.0.1:0: expected --back-end 'sieve://HOST:PORT?masterUser="],
    [
      words`--listen imap://127.0.0.1:0 --back-end imap://h:1?masterUser=m&password=s3cret`,
      '--back-end: "imap://h:1?masterUser=m&password=…": expected password=file:PATH',
    ],
    [
      words`--listen imap://127.0.0.1:0 --back-end imap://h:1?masterUser=m&masterSeparator=m&password=env:BACK_END_PASSWORD`,
      '--back-end: masterUser: expected a name without "m"',
    ],
    [
      words`--listen imap://127.0.0.1:0 --back-end imap://h:1?masterUser=m&password=env:BACK_END_PASSWORD --back-end imaps://i:1?masterUser=m&password=env:BACK_END_PASSWORD`,
      '--back-end: expected one back end for imap',
    ],
  ])('%j end with 2 and one line that says what is expected', async (options, expected) => {
    const { code, output } = await runInProcess([...auth, ...options]);
    expect(output).toMatch(/^postern: [^\n]*expected[^\n]*\n$/);
    expect(output).toContain(expected);
    expect(output).not.toContain('s3cret');
    expect(code).toBe(2);
  });

  it.each([
    ['limits: { pop3: { idleTimeout: 0 } }', 'limits.pop3.idleTimeout: expected 1 or more, not 0'],
    ['limits: { pop3: { idelTimeout: 1 } }', 'limits.pop3: unknown limit "idelTimeout"; expected one of'],
    ['limits: { pop3: 5 }', 'limits.pop3: expected limits'],
    ['limits: { pop: { idleTimeout: 1 } }', 'did you mean "pop3"?'],
    ['mailboxes: 5', 'mailboxes: expected a spec, maildir({…}), or a function'],
    ['backEnd: { pop3: "x" }', 'backEnd.pop3: unknown property; expected imap, sieve'],
    ['backEnd: { imap: "sieve://127.0.0.1:1?masterUser=m&password=env:BACK_END_PASSWORD" }', 'imap: expected imap://'],
  ])('in the config file are checked: %s', async (text, expected) => {
    const config = join(folder.path, `${crypto.randomUUID()}.config.mjs`);
    writeFileSync(config, `export default { ${text} };`);
    const options = words`--listen pop3://127.0.0.1:0 --deliver maildir:${join(folder.path, 'x')} --config ${config}`;
    const { code, output } = await runInProcess([...auth, ...options]);
    expect(output).toContain(expected);
    expect(code).toBe(2);
  });
});

describe('postern explain', () => {
  it('shows the mechanisms and login commands of POP3, IMAP and ManageSieve', async () => {
    const { output } = await runInProcess([
      ...words`explain --listen pop3://0.0.0.0:110 --listen imaps://0.0.0.0:993 --listen sieve://127.0.0.1:4190 ${USERS}`,
      ...words`--auth anonymous --deliver maildir:x --tls-cert ${files.cert} --tls-key ${files.key}`,
      ...words`--back-end imap://127.0.0.1:1?masterUser=m&password=env:BACK_END_PASSWORD`,
      ...words`--back-end sieve://127.0.0.1:1?masterUser=m&password=env:BACK_END_PASSWORD`,
    ]);
    const [pop3 = '', imap = '', sieve = ''] = output.split(/\n\n/);
    expect(pop3).toMatch(/^pop3:\/\/0\.0\.0\.0:110: POP3, STLS offered, authentication required, for clients on other/);
    expect(pop3).toMatch(/ {2}before TLS:\n {4}offered: [^:]* CRAM-MD5 APOP\n/);
    expect(pop3).toMatch(/exposes the secret: needs TLS:.* PLAIN LOGIN.*USER/);
    expect(pop3).toMatch(/ {2}after TLS:\n {4}offered: [^:]* PLAIN LOGIN [^:]*USER APOP\n/);
    expect(pop3).toContain('no: an anonymous client has no mailbox: ANONYMOUS');
    expect(imap).toMatch(/^imaps:\/\/0\.0\.0\.0:993: IMAP, implicit TLS, authentication required/);
    expect(imap).not.toContain('APOP');
    expect(sieve).toMatch(/^sieve:\/\/127\.0\.0\.1:4190: ManageSieve, STARTTLS offered, .* clients on this machine/);
  });
});

describe.skipIf(process.platform !== 'linux')('workers', () => {
  it('lock a mailbox against each other, and take back ends and limits from the config file', async () => {
    await using imap = await startImapBackEnd();
    const config = join(folder.path, 'postern.config.mjs');
    writeFileSync(
      config,
      `import { ImapBackEnd } from '@postern/imap';
       import { connect } from '@postern/node';
       import { maildir } from 'postern';
       const endpoint = { host: '127.0.0.1', port: ${imap.port} };
       const account = (user) => ({ username: user + '@example.net', password: 'own' });
       const connectTo = () => connect({ endpoint, tlsPolicy: 'none' });
       export default {
         workers: 2,
         log: 'silent',
         mailboxes: maildir({ folder: ${JSON.stringify(join(folder.path, 'workers'))} }),
         backEnd: { imap: (user) => new ImapBackEnd({ connect: connectTo, account: account(user) }) },
         limits: { pop3: { maxErrors: 1 } },
       };`,
    );
    await using server = await startPostern(
      ...words`--listen pop3://127.0.0.1:0 --listen imap://127.0.0.1:0 ${USERS} --config ${config}`,
    );
    const first = await clientOf(server, 0, POP3_LINE);
    onTestFinished(() => first[Symbol.dispose]());
    await logIn(first, 'joe');
    // The system spreads the connections over the workers.
    const others = await Promise.all(
      Array.from({ length: 8 }, async () => {
        using other = await clientOf(server, 0, POP3_LINE);
        return await other.say(`AUTH PLAIN ${plain('joe')}`, POP3_LINE);
      }),
    );
    expect(new Set(others.map((reply) => reply.slice(0, 13)))).toEqual(new Set(['-ERR [IN-USE]']));
    expect(await first.say('WHAT', POP3_LINE)).toMatch(/^-ERR/);
    await expect(first.say('NOOP', POP3_LINE)).rejects.toThrow();

    using browser = await clientOf(server, 1, IMAP_LINES);
    expect(await browser.say(`a1 AUTHENTICATE PLAIN ${plain('joe')}`, IMAP_LINES)).toMatch(/^a1 OK/m);
    expect(imap.lines.at(-1)).toContain(Buffer.from('\0joe@example.net\0own').toString('base64'));
  });
});

/** Connects to a listener and hears its greeting. */
async function clientOf(server: ServingPostern, index: number, greeting?: RegExp): Promise<LineClient> {
  const client = new LineClient(connect(portOf(server, index), '127.0.0.1'));
  await client.hear(greeting);
  return client;
}

async function logIn(client: LineClient, user: string): Promise<void> {
  expect(await client.say(`AUTH PLAIN ${plain(user)}`, POP3_LINE)).toMatch(/^\+OK/);
}

async function send(client: LineClient, to: string, subject: string, body = 'hello\r\n'): Promise<void> {
  expect(await client.say('MAIL FROM:<bob@example.net>')).toMatch(/^250 /);
  expect(await client.say(`RCPT TO:<${to}>`)).toMatch(/^250 /);
  expect(await client.say('DATA')).toMatch(/^354 /);
  expect(await client.say(`Subject: ${subject}\r\n\r\n${body}.`)).toMatch(/^250 /);
}

function portOf({ urls }: ServingPostern, index: number): number {
  return Number(urls[index]?.port);
}

function plain(user: string, password = 's3cret'): string {
  return Buffer.from(`\0${user}\0${password}`).toString('base64');
}

/** The options for the back ends of both protocols. */
function backEnds(imap: TestBackEnd, sieve: TestBackEnd): readonly string[] {
  const login = 'masterUser=postern&password=env:BACK_END_PASSWORD';
  return [
    '--back-end',
    `imap://127.0.0.1:${imap.port}?${login}`,
    '--back-end',
    `sieve://127.0.0.1:${sieve.port}?${login}`,
  ];
}

/** A tagged reply of IMAP with the lines before it, or the greeting. */
const IMAP_LINES = /^(?:\* OK .*\r\n|(?:\*.*\r\n)*\w\d (?:OK|NO|BAD) .*\r\n)/;
/** A reply of ManageSieve with the lines before it. */
const SIEVE_OK = /^(?:".*\r\n)*(?:OK|NO|BYE).*\r\n/;
const ECHO = /^echo .*\r\n/;
