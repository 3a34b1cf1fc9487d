import { once } from 'node:events';
import { chownSync, existsSync } from 'node:fs';
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { ImapFlow, type ImapFlowOptions } from 'imapflow';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CertificateFiles, certificateFiles } from '../support/certificates.ts';
import { type DovecotServices, MAIL_OWNER, type RunningDovecot, startDovecot } from '../support/dovecot.ts';
import { freePort } from '../support/free-port.ts';
import { MAIL_SAMPLES } from '../support/mail-samples.ts';
import { type RunningPostern, startPostern, UNTHROTTLED_CONFIG } from '../support/postern.ts';
import { type Ended, run, skips, words } from '../support/program.ts';
import { ResourceStack } from '../support/resource-stack.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const CHANNELS = ['clear text', 'STARTTLS', 'implicit TLS'] as const;
type Channel = (typeof CHANNELS)[number];

// Dovecot knows neither joe's password nor another one of joe: only the master user gets in.
const DOVECOT_USERS = { door: '{PLAIN}never used' };
const MASTERS = { door: '{PLAIN}m4ster' };

const resources = new ResourceStack();
let folder: string;
let maildirs: string;
let files: CertificateFiles;
let services: DovecotServices;
let dovecot: RunningDovecot;
let postern: RunningPostern;

const skipped = skips('dovecot', 'dovecot-core') || skips('/usr/lib/dovecot/imap', 'dovecot-imapd');

describe.skipIf(skipped)('an IMAP front before Dovecot', () => {
  beforeAll(async () => {
    folder = resources.use(temporaryFolder('imap-front')).path;
    maildirs = join(folder, 'mail');
    files = await certificateFiles(folder);
    // Dovecot's user opens the Maildirs below.
    await chmod(folder, 0o755);
    services = {
      ports: { imap: await freePort() },
      maildir: join(maildirs, '%u'),
      masters: MASTERS,
    };
    await makeMaildir('joe', MAIL_SAMPLES);
    await makeMaildir('eve', []);
    dovecot = resources.use(await startDovecot(DOVECOT_USERS, services));
    const password = join(folder, 'master-password');
    await writeFile(password, 'm4ster\n', { mode: 0o600 });
    postern = await startPostern(
      ...words`--config ${UNTHROTTLED_CONFIG} --listen imap://127.0.0.1:0 --listen imaps://127.0.0.1:0`,
      ...words`--tls-cert ${files.cert} --tls-key ${files.key} --hostname localhost --log json`,
      ...words`--auth memory:joe:s3cret --auth memory:eve:s3cret --auth memory:ann:s3cret`,
      ...words`--back-end imap://127.0.0.1:${String(services.ports.imap)}?masterUser=door&password=file:${password}`,
    );
    resources.defer(async () => {
      expect(await postern.stop()).toBe(0);
      expect(postern.output()).not.toMatch(/s3cret|czNjcmV0|m4ster/);
    });
    for (const version of [
      ['dovecot', '--version'],
      ['curl', '--version'],
      ['mutt', '-v'],
      ['mbsync', '--version'],
    ]) {
      const [program = '', ...args] = version;
      console.log(program, (await run(program, args)).output.split('\n')[0]);
    }
  });

  afterAll(() => resources.close());

  describe.each(CHANNELS)('over %s', (channel) => {
    for (const mechanism of ['PLAIN', 'LOGIN', 'CRAM-MD5']) {
      it.skipIf(skips('curl', 'curl'))(`curl reads messages octet for octet with ${mechanism}`, async () => {
        for (const [index, sample] of MAIL_SAMPLES.entries()) {
          const file = join(folder, 'curl.out');
          const ended = await curl(channel, mechanism, 's3cret', `INBOX;UID=${index + 1}`, ['--output', file]);
          expect(ended.code, ended.output).toBe(0);
          expect(sample.equals(await readFile(file))).toBe(true);
        }
      });

      it.skipIf(skips('curl', 'curl'))(`curl is refused with ${mechanism} and a wrong password`, async () => {
        expect(await curl(channel, mechanism, 'wrong', '')).toMatchObject({ code: 67 });
      });
    }

    for (const method of ['LOGIN', 'AUTH=PLAIN', 'AUTH=LOGIN']) {
      it(`imapflow lists and reads with ${method}`, async () => {
        const client = new ImapFlow(await imapFlowOptions(channel, 'joe', method));
        await client.connect();
        expect((await client.list()).map(({ path }) => path)).toContain('INBOX');
        await client.mailboxOpen('INBOX');
        const messages = await client.fetchAll('1:3', { source: true, size: true });
        const samples = MAIL_SAMPLES.map((sample) => ({ size: sample.length, isSame: true }));
        expect(
          messages.map(({ source, size }, index) => ({ size, isSame: source?.equals(MAIL_SAMPLES[index] as Buffer) })),
        ).toEqual(samples);
        await client.logout();
      });
    }

    it('imapflow is refused with a wrong password', async () => {
      const options = await imapFlowOptions(channel, 'joe', 'AUTH=PLAIN');
      const client = new ImapFlow({ ...options, auth: { user: 'joe', pass: 'wrong' } });
      await expect(client.connect()).rejects.toMatchObject({ serverResponseCode: 'AUTHENTICATIONFAILED' });
    });

    // gsasl has no implicit TLS. Under TLS, Postern does not offer SCRAM-SHA-256 by default.
    if (channel === 'clear text') {
      it.skipIf(skips('gsasl', 'gsasl'))('gsasl logs in with SCRAM-SHA-256', async () => {
        const login = words`--imap --connect=localhost:${port(channel)} --no-starttls --no-cb -m SCRAM-SHA-256`;
        const { output } = await run('gsasl', [...login, ...words`-a joe -p s3cret`]);
        expect(output).toContain('Client authentication finished');
      });
    }

    it.skipIf(skips('mutt', 'mutt'))('mutt logs in with its own choice and reads a mailbox', async () => {
      const mbox = join(folder, `mutt-${channel.replace(' ', '-')}`);
      const ended = await mutt(channel, mbox);
      expect(existsSync(mbox), ended.output).toBe(true);
      const text = await readFile(mbox, 'latin1');
      for (const sample of MAIL_SAMPLES) {
        const message = sample.toString('latin1').replaceAll('\r\n', '\n');
        expect(text.includes(message.slice(message.indexOf('\n\n')))).toBe(true);
      }
    });

    it.skipIf(skips('mbsync', 'isync'))('mbsync copies a mailbox with its own choice', async () => {
      const copy = join(folder, `mbsync-${channel.replace(' ', '-')}`);
      const { code, output } = await mbsync(channel, copy);
      expect(code, output).toBe(0);
      expect(await readdir(join(copy, 'INBOX', 'cur'))).toHaveLength(MAIL_SAMPLES.length);
    });
  });

  it('sends only the login of the master user to Dovecot', () => {
    expect(dovecot.output()).toMatch(/imap-login: Info: Login: user=<joe>, method=PLAIN/);
    expect(dovecot.output()).not.toMatch(/method=(?!PLAIN)/);
  });

  it('passes a message of 1 MiB to Dovecot with APPEND', async () => {
    const client = new ImapFlow(await imapFlowOptions('implicit TLS', 'eve', 'AUTH=PLAIN'));
    await client.connect();
    const message = MAIL_SAMPLES[2] as Buffer;
    await client.append('INBOX', message);
    await client.mailboxOpen('INBOX');
    const fetched = await client.fetchOne('*', { source: true });
    expect((fetched || undefined)?.source?.equals(message)).toBe(true);
    await client.logout();
  });

  it('passes a notification of Dovecot to a client in IDLE', async () => {
    const [reader, writer] = [
      new ImapFlow(await imapFlowOptions('STARTTLS', 'eve', 'AUTH=PLAIN')),
      new ImapFlow(await imapFlowOptions('clear text', 'eve', 'AUTH=PLAIN')),
    ];
    await Promise.all([reader.connect(), writer.connect()]);
    const { exists } = await reader.mailboxOpen('INBOX');
    const notified = once(reader, 'exists');
    const idle = reader.idle();
    await writer.append('INBOX', MAIL_SAMPLES[0] as Buffer);
    expect(await notified).toMatchObject([{ path: 'INBOX', count: exists + 1 }]);
    await Promise.all([reader.logout(), writer.logout(), idle]);
  });

  it('holds back Dovecot while a client does not read', async () => {
    await makeMaildir('ann', Array(128).fill(MAIL_SAMPLES[2]));
    const before = await residentKibibytes();
    const [slow, quick] = [await fetchAll(), await fetchAll()];
    // The slow client reads nothing while the quick client reads all 128 MiB.
    await heard(quick.resume(), 'a2 OK');
    expect((await residentKibibytes()) - before).toBeLessThan(64 * 1024);
    await heard(slow.resume(), 'a2 OK');
    for (const socket of [slow, quick]) socket.destroy();
  });

  it('answers NO [UNAVAILABLE] while Dovecot is stopped, and logs in again after its start', async () => {
    await dovecot.stop();
    const options = await imapFlowOptions('STARTTLS', 'joe', 'AUTH=PLAIN');
    await expect(new ImapFlow(options).connect()).rejects.toMatchObject({ serverResponseCode: 'UNAVAILABLE' });
    dovecot = resources.use(await startDovecot(DOVECOT_USERS, services));
    const client = new ImapFlow(options);
    await client.connect();
    await client.logout();
  });
});

/** Makes a Maildir that holds these messages, in this order, with the line ends that they have. */
async function makeMaildir(user: string, messages: readonly Buffer[]): Promise<void> {
  const maildir = join(maildirs, user);
  const paths = [maildirs, maildir, ...['new', 'cur', 'tmp'].map((part) => join(maildir, part))];
  for (const path of paths) await mkdir(path, { recursive: true });
  for (const [index, message] of messages.entries()) {
    const path = join(maildir, 'cur', `${1_000 + index}.test:2,`);
    await writeFile(path, message);
    paths.push(path);
  }
  for (const path of paths) chownSync(path, MAIL_OWNER, MAIL_OWNER);
}

function port(channel: Channel): string {
  return postern.urls[channel === 'implicit TLS' ? 1 : 0]?.port ?? '';
}

function curl(
  channel: Channel,
  mechanism: string,
  password: string,
  path: string,
  options: readonly string[] = [],
): Promise<Ended> {
  const scheme = channel === 'implicit TLS' ? 'imaps' : 'imap';
  return run('curl', [
    ...words`--silent --show-error --ipv4 --cacert ${files.ca} --url ${`${scheme}://localhost:${port(channel)}/${path}`}`,
    ...words`${channel === 'STARTTLS' ? ['--ssl-reqd'] : []} --user joe:${password} --login-options AUTH=${mechanism}`,
    ...options,
  ]);
}

async function imapFlowOptions(channel: Channel, user: string, loginMethod: string): Promise<ImapFlowOptions> {
  return {
    host: '127.0.0.1',
    port: Number(port(channel)),
    secure: channel === 'implicit TLS',
    doSTARTTLS: channel === 'STARTTLS',
    tls: { ca: await readFile(files.ca), servername: 'localhost' },
    auth: { user, pass: 's3cret', loginMethod },
    greetingTimeout: 60_000,
    disableAutoIdle: true,
    logger: false,
  };
}

/**
 * Runs mutt in a terminal of `script`, where it copies all messages of joe to an mbox. Without its
 * folder, mutt would ask whether to create it, and take the first pushed key for the answer.
 * Without `--foreground`, `timeout` makes a process group of its own. If the shell of `script` does
 * not end before mutt, as dash, the terminal then stops mutt.
 */
async function mutt(channel: Channel, mbox: string): Promise<Ended> {
  const settings = join(folder, 'muttrc');
  const spool = `${channel === 'implicit TLS' ? 'imaps' : 'imap'}://joe@localhost:${port(channel)}/INBOX`;
  const tls = `ssl_starttls=${channel === 'STARTTLS' ? 'yes' : 'no'} ssl_force_tls=${channel === 'clear text' ? 'no' : 'yes'}`;
  await writeFile(
    settings,
    [
      `set spoolfile="${spool}" imap_pass="s3cret" ${tls} certificate_file="${files.ca}"`,
      `set folder="${folder}"`,
      'set auto_tag=yes confirmappend=no confirmcreate=no copy=no delete=no move=no mbox_type=mbox sleep_time=0',
      `push '<tag-pattern>~A<enter><copy-message>${mbox}<enter><exit>'`,
      '',
    ].join('\n'),
  );
  const command = `env HOME=${folder} TERM=vt100 timeout --foreground 80 mutt -n -F ${settings}`;
  return await run('script', ['--quiet', '--return', '--flush', '--command', command, '/dev/null']);
}

async function mbsync(channel: Channel, copy: string): Promise<Ended> {
  const settings = join(folder, 'mbsyncrc');
  await mkdir(copy);
  const type = { 'clear text': 'None', STARTTLS: 'STARTTLS', 'implicit TLS': 'IMAPS' }[channel];
  await writeFile(
    settings,
    `IMAPAccount front
Host localhost
Port ${port(channel)}
User joe
Pass s3cret
SSLType ${type}
CertificateFile ${files.ca}
AuthMechs *

IMAPStore far
Account front

MaildirStore near
Path ${copy}/
Inbox ${join(copy, 'INBOX')}

Channel all
Far :far:
Near :near:
Patterns INBOX
Create Near
SyncState ${copy}/
`,
  );
  return await run('mbsync', ['--config', settings, '--verbose', 'all']);
}

/** Logs ann in and asks for all messages. The socket is paused. */
async function fetchAll(): Promise<Socket> {
  const socket = connect(Number(port('clear text')), '127.0.0.1').setEncoding('latin1');
  await heard(socket, '* OK');
  for (const [tag, command] of [
    ['a0', 'LOGIN ann s3cret'],
    ['a1', 'SELECT INBOX'],
  ]) {
    socket.write(`${tag} ${command}\r\n`);
    await heard(socket, `${tag} OK`);
  }
  socket.pause().write('a2 FETCH 1:* BODY.PEEK[]\r\n');
  return socket;
}

/** Resolves when the server has sent this text; rejects if it closes the connection before. */
function heard(socket: Socket, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const close = (): void => reject(new Error(`the server closed before ${text}`));
    let tail = '';
    const hear = (chunk: string): void => {
      const known = tail + chunk;
      tail = known.slice(-text.length);
      if (!known.includes(text)) return;
      socket.off('data', hear).off('close', close);
      resolve();
    };
    socket.on('data', hear).on('close', close);
  });
}

/** Resolves to the memory of Postern's process, in KiB. */
async function residentKibibytes(): Promise<number> {
  const status = await readFile(`/proc/${postern.process.pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]);
}
