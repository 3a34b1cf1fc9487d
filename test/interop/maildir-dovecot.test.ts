import { chownSync } from 'node:fs';
import { chmod, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ImapFlow } from 'imapflow';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MAIL_OWNER, startDovecot } from '../support/dovecot.ts';
import { freePort } from '../support/free-port.ts';
import { MAIL_SAMPLES } from '../support/mail-samples.ts';
import { type RunningPostern, startPostern } from '../support/postern.ts';
import { run, skips, words } from '../support/program.ts';
import { ResourceStack } from '../support/resource-stack.ts';
import { submit } from '../support/submit.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const USER = 'joe@example.com';

const resources = new ResourceStack();
let folder: string;
let maildirs: string;
let ports: { readonly imap: number; readonly pop3: number; readonly lmtp: number };
let postern: RunningPostern;

const skipped =
  skips('dovecot', 'dovecot-core') ||
  skips('/usr/lib/dovecot/imap', 'dovecot-imapd') ||
  skips('/usr/lib/dovecot/pop3', 'dovecot-pop3d') ||
  skips('/usr/lib/dovecot/lmtp', 'dovecot-lmtpd') ||
  skips('swaks', 'swaks') ||
  skips('curl', 'curl');

describe.skipIf(skipped)('a Maildir that Postern and Dovecot share', () => {
  beforeAll(async () => {
    folder = resources.use(temporaryFolder('maildir-dovecot')).path;
    await chmod(folder, 0o755);
    maildirs = join(folder, 'mail');
    postern = await startPostern(
      ...words`--listen smtp://127.0.0.1:0 --listen pop3://127.0.0.1:0 --auth memory:${USER}:s3cret`,
      ...words`--deliver maildir:${maildirs} --hostname mail.example.com --log json`,
    );
    resources.defer(async () => expect(await postern.stop()).toBe(0));
    ports = { imap: await freePort(), pop3: await freePort(), lmtp: await freePort() };
    resources.use(await startDovecot({ [USER]: '{PLAIN}s3cret' }, { ports, maildir: join(maildirs, '%u') }));
    const account = { port: Number(postern.urls[0]?.port), username: USER, password: 's3cret' };
    await submit(account, [USER], MAIL_SAMPLES);
    await giveToDovecot();
  });

  afterAll(() => resources.close());

  it('has the same sizes and octets at both servers', async () => {
    await expectSameMessages(MAIL_SAMPLES.length);
  });

  it('keeps its unique-ids when Dovecot renames files for flags', async () => {
    const before = await pop3(ownPort(), 'UIDL');
    const names = await readdir(join(maildirs, USER, 'cur'));
    await using client = await imap();
    await client.messageFlagsAdd('1:*', ['\\Seen', '\\Flagged']);
    await client.messageFlagsRemove('2', ['\\Flagged']);
    expect(await readdir(join(maildirs, USER, 'cur'))).not.toEqual(names);
    expect(await pop3(ownPort(), 'UIDL')).toEqual(before);
    await expectSameMessages(MAIL_SAMPLES.length);
  });

  it('gives messages that Dovecot has delivered with LF line ends', async () => {
    const before = await pop3(ownPort(), 'UIDL');
    for (const sample of MAIL_SAMPLES) await deliverWithDovecot(sample);
    await expectSameMessages(2 * MAIL_SAMPLES.length);
    expect((await pop3(ownPort(), 'UIDL')).slice(0, before.length)).toEqual(before);
    const last = await retrieve(ownPort(), 2 * MAIL_SAMPLES.length);
    expect(last.subarray(-(MAIL_SAMPLES[2]?.length ?? 0)).equals(MAIL_SAMPLES[2] as Buffer)).toBe(true);
  });

  it('loses a message at Dovecot when a client of Postern deletes it', async () => {
    await using client = await imap();
    const { output } = await run('curl', [...curlArguments(ownPort(), '1'), ...words`--list-only --request DELE`]);
    expect(output).toBe('');
    const { uidNext } = client.mailbox || {};
    await client.noop();
    expect(client.mailbox).toMatchObject({ exists: 2 * MAIL_SAMPLES.length - 1, uidNext });
    await expectSameMessages(2 * MAIL_SAMPLES.length - 1);
  });
});

/** Expects that Postern's POP3, Dovecot's POP3 and Dovecot's IMAP have the same messages. */
async function expectSameMessages(count: number): Promise<void> {
  const sizes = await pop3(ownPort(), 'LIST');
  expect(sizes).toHaveLength(count);
  expect(await pop3(ports.pop3, 'LIST')).toEqual(sizes);
  await using client = await imap();
  const envelopes = await client.fetchAll('1:*', { size: true });
  expect(envelopes.map(({ seq, size }) => `${seq} ${size}`)).toEqual(sizes);
  for (let number = 1; number <= count; number++) {
    const [own, other] = [await retrieve(ownPort(), number), await retrieve(ports.pop3, number)];
    expect(own.equals(other)).toBe(true);
    expect(`${number} ${own.length}`).toBe(sizes[number - 1]);
  }
}

/** Makes the user of Dovecot the owner of all mail, which Postern has stored as its own user. */
async function giveToDovecot(): Promise<void> {
  for (const name of ['', ...(await readdir(maildirs, { recursive: true }))]) {
    chownSync(join(maildirs, name), MAIL_OWNER, MAIL_OWNER);
  }
}

async function deliverWithDovecot(message: Buffer): Promise<void> {
  const data = join(folder, 'message.eml');
  // swaks stuffs dots only together with other changes, so the file has them stuffed.
  await writeFile(data, `${message.toString('latin1').replaceAll(/^\./gm, '..')}.`, 'latin1');
  const { code, output } = await run('swaks', [
    ...words`--protocol LMTP --server 127.0.0.1 --port ${String(ports.lmtp)} --silent 3 --timeout 60s`,
    ...words`--from joe@example.com --to ${USER} --data @${data} --no-data-fixup`,
  ]);
  expect(code, output).toBe(0);
}

/** Resolves to the lines of the reply to `LIST` or `UIDL`. */
async function pop3(port: number, command: 'LIST' | 'UIDL'): Promise<readonly string[]> {
  const { code, output } = await run('curl', [...curlArguments(port, ''), '--request', command]);
  expect(code, output).toBe(0);
  return output.trimEnd().split('\r\n');
}

async function retrieve(port: number, number: number): Promise<Buffer> {
  const file = join(folder, 'retrieved');
  const { code, output } = await run('curl', [...curlArguments(port, String(number)), '--output', file]);
  expect(code, output).toBe(0);
  return await readFile(file);
}

function curlArguments(port: number, path: string): readonly string[] {
  return words`--silent --show-error --user ${USER}:s3cret --url ${`pop3://127.0.0.1:${port}/${path}`}`;
}

/** Opens the inbox at Dovecot's IMAP. */
async function imap(): Promise<ImapFlow & AsyncDisposable> {
  const client = new ImapFlow({
    host: '127.0.0.1',
    port: ports.imap,
    doSTARTTLS: false,
    auth: { user: USER, pass: 's3cret' },
    greetingTimeout: 60_000,
    disableAutoIdle: true,
    logger: false,
  });
  await client.connect();
  await client.mailboxOpen('INBOX');
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.logout() });
}

function ownPort(): number {
  return Number(postern.urls[1]?.port);
}
