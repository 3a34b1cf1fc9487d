import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { chown, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { connect as connectTls } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CertificateFiles, certificateFiles } from '../support/certificates.ts';
import { MAIL_OWNER, startDovecot } from '../support/dovecot.ts';
import { freePort } from '../support/free-port.ts';
import { skipsNginx, startNginx } from '../support/nginx.ts';
import { type RunningPostern, startPostern } from '../support/postern.ts';
import { type Ended, run, skips, words } from '../support/program.ts';
import { recipeFile, replaceEach } from '../support/recipe.ts';
import { ResourceStack } from '../support/resource-stack.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** The ports of nginx in the recipe. */
const FRONTS = { smtp: 587, smtps: 465, imaps: 993, pop3s: 995 } as const;
type Front = keyof typeof FRONTS;
const NAMES = Object.keys(FRONTS) as Front[];

/** The ports of Postern and the back ends in the recipe. */
const BACKS = { http: 8025, smtp: 2525, imap: 1143, pop3: 1110 } as const;
type Back = keyof typeof BACKS;
const BACK_NAMES = Object.keys(BACKS) as Back[];

/** The address of the client. nginx connects to Postern from 127.0.0.1. */
const CLIENT = '127.0.0.9';

/** The address of a client who guesses passwords. */
const GUESSER = '127.0.0.10';

/** The failed logins of a user after which the throttle refuses this user from this address. */
const MAX_GUESSES = 10;

const resources = new ResourceStack();
let folder: string;
let files: CertificateFiles;
let fronts: Readonly<Record<Front, number>>;
let backs: Readonly<Record<Back, number>>;
let postern: RunningPostern;

const skipped =
  skipsNginx() ||
  skips('curl', 'curl') ||
  skips('dovecot', 'dovecot-core') ||
  skips('/usr/lib/dovecot/imap', 'dovecot-imapd') ||
  skips('/usr/lib/dovecot/pop3', 'dovecot-pop3d');

describe.skipIf(skipped)('the recipe docs/recipes/nginx-mail.md', () => {
  beforeAll(async () => {
    console.log((await run('nginx', ['-v'])).output.trim());
    console.log((await run('curl', ['--version'])).output.split('\n')[0]);
    folder = resources.use(temporaryFolder('nginx-mail')).path;
    files = await certificateFiles(folder);
    const free = await freePorts(NAMES.length + BACK_NAMES.length);
    fronts = Object.fromEntries(NAMES.map((name, index) => [name, free[index]])) as typeof fronts;
    backs = Object.fromEntries(BACK_NAMES.map((name, index) => [name, free[NAMES.length + index]])) as typeof backs;
    const mail = join(folder, 'dovecot');
    await mkdir(mail);
    await chown(mail, MAIL_OWNER, MAIL_OWNER);
    const services = { ports: { imap: backs.imap, pop3: backs.pop3 }, maildir: join(mail, '%u') };
    resources.use(await startNginx(folder, nginxConfig()));
    resources.use(await startDovecot({ 'joe@example.com': '{PLAIN}s3cret' }, services));
    postern = await startServer();
    resources.defer(() => postern.stop());
    resources.defer(() => expect(postern.output()).not.toMatch(/s3cret|czNjcmV0|nginx-secret/));
  });

  afterAll(() => resources.close());

  describe('logins', { concurrent: true }, () => {
    describe.each(['smtp', 'smtps'] as const)('%s', (front) => {
      it.each(['PLAIN', 'LOGIN', 'CRAM-MD5'])('delivers a message of a user who logs in with %s', async (mechanism) => {
        const subject = `${front}-${mechanism}`;
        const { code, output } = await submit(front, { mechanism, subject });
        expect(code, output).toBe(0);
        // XCLIENT has the client's address and the user's name (RFC 3848: A stands for the login).
        expect(await delivered(subject)).toMatch(
          new RegExp(`\\[${CLIENT.replaceAll('.', '\\.')}\\].*with ESMTPS?A`, 's'),
        );
      });

      it.each(['PLAIN', 'LOGIN', 'CRAM-MD5'])('refuses a wrong password with %s', async (mechanism) => {
        const { code, output } = await submit(front, { mechanism, password: 'wrong' });
        expect(output).toMatch(/^< 535 5\.7\.8 /m);
        expect(code).toBe(67);
      });
    });

    it('opens no delivery of another user', async () => {
      const { code, output } = await submit('smtps', { sender: 'ann@example.com' });
      expect(output).toMatch(/^< 55\d 5\.7\.1 /m);
      expect(code).toBe(55);
    });

    it('logs in the owner of a client certificate with EXTERNAL', async () => {
      const certificate = ['--cert', files.clientCert, '--key', files.clientKey];
      const { code, output } = await submit('smtps', { ...EXTERNAL, subject: 'EXTERNAL' }, certificate);
      expect(code, output).toBe(0);
      expect(await delivered('EXTERNAL')).toContain(`[${CLIENT}]`);
    });

    it('refuses EXTERNAL without a client certificate', async () => {
      const { code, output } = await submit('smtps', EXTERNAL);
      expect(output).toMatch(/^< 535 5\.7\.8 /m);
      expect(code).toBe(67);
    });

    it('refuses EXTERNAL of another user than the one of the client certificate', async () => {
      const certificate = ['--cert', files.clientCert, '--key', files.clientKey];
      expect(await submit('smtps', { ...EXTERNAL, user: 'ann@example.com' }, certificate)).toMatchObject({ code: 67 });
    });

    it.each(['PLAIN', 'LOGIN'])('logs in at the IMAP back end with %s', async (mechanism) => {
      const { code, output } = await curl('imaps', { mechanism });
      expect(code, output).toBe(0);
      expect(output).toContain('INBOX');
    });

    it.each(['PLAIN', 'LOGIN'])('logs in at the POP3 back end with %s', async (mechanism) => {
      const { code, output } = await curl('pop3s', { mechanism });
      expect(code, output).toBe(0);
    });

    it.each([
      ['imaps', 'CRAM-MD5', 'cram-md5'],
      ['pop3s', 'CRAM-MD5', 'cram-md5'],
      ['pop3s', '+APOP', 'apop'],
    ] as const)(
      'refuses a login at %s with %s, which has no password for the back end',
      async (front, mechanism, method) => {
        expect((await curl(front, { mechanism })).code).not.toBe(0);
        await postern.said(new RegExp(`${method} needs a back end with a password`));
      },
    );

    it.skipIf(skips('swaks', 'swaks'))('delivers a message of swaks', async () => {
      const { code, output } = await run('swaks', [
        ...words`--server localhost --port ${String(fronts.smtp)} --local-interface ${CLIENT} --tls --auth PLAIN`,
        ...words`--auth-user joe@example.com --auth-password s3cret --from joe@example.com --to joe@example.com`,
        ...words`--header Subject:swaks`,
      ]);
      expect(code, output).toBe(0);
      expect(output).toMatch(/^<~ {2}235 /m);
    });

    it.each(['imaps', 'pop3s'] as const)('refuses a wrong password at %s', async (front) => {
      expect(await curl(front, { password: 'wrong' })).toMatchObject({ code: 67 });
    });

    it('logs the address of the client and not the one of nginx', async () => {
      await submit('smtps', { password: 'wrong' });
      await postern.said(new RegExp(`${CLIENT.replaceAll('.', '\\.')}.*535 5\\.7\\.8`));
      expect(postern.output()).not.toMatch(/127\.0\.0\.1[ :].*535 /);
    });

    it('lets a client try again on the same connection', async () => {
      const replies = await dialogue('smtps', [
        'EHLO client.example.org',
        `AUTH PLAIN ${plain('joe@example.com', 'wrong')}`,
        `AUTH PLAIN ${plain('joe@example.com', 's3cret')}`,
        'QUIT',
      ]);
      expect(replies).toMatchObject(
        [/^220 /, /^250 /, /^535 5\.7\.8 /, /^235 /, /^221 /].map((reply) => expect.stringMatching(reply)),
      );
    });

    it('answers 454 while a user database is down', async () => {
      const replies = await dialogue('smtps', [
        'EHLO client.example.org',
        `AUTH PLAIN ${plain('temporary@example.com', 's3cret')}`,
      ]);
      expect(replies).toMatchObject([/^220 /, /^250 /, /^454 4\.7\.0 /].map((reply) => expect.stringMatching(reply)));
    });
  });

  it('counts the guesses of a client in one throttle', async () => {
    const guesses = Array.from({ length: MAX_GUESSES }, (_, index) => `guess${index}`);
    const eve: Login = { user: 'eve@example.com', address: GUESSER };
    const refused = expect.objectContaining({ code: 67 });
    const guessing = await Promise.all(guesses.map((password) => submit('smtps', { ...eve, password })));
    expect(guessing).toEqual(guesses.map(() => refused));
    // The password is right, also where the client connects to Postern's own port.
    const direct = ['--url', `smtp://127.0.0.1:${backs.smtp}/`, '--mail-from', 'eve@example.com'];
    expect(await Promise.all([curl('imaps', eve), curl('pop3s', eve), curl('smtps', eve, direct)])).toEqual([
      refused,
      refused,
      refused,
    ]);
    expect(await submit('smtps', { user: 'eve@example.com', subject: 'eve' })).toMatchObject({ code: 0 });
  });

  it('answers 451 while Postern is stopped', async () => {
    await postern.stop();
    const replies = await dialogue('smtps', [
      'EHLO client.example.org',
      `AUTH PLAIN ${plain('joe@example.com', 's3cret')}`,
    ]);
    expect(replies).toMatchObject([/^220 /, /^250 /, /^451 4\.3\.2 /].map((reply) => expect.stringMatching(reply)));
  });
});

/** A login, and a message, of a client. Default: joe's, with PLAIN. */
interface Login {
  readonly mechanism?: string;
  readonly user?: string;
  readonly password?: string;
  /** The address from which the client connects. */
  readonly address?: string;
  readonly sender?: string;
  readonly subject?: string;
}

const EXTERNAL: Login = { mechanism: 'EXTERNAL', user: '', password: '', sender: 'joe@example.com' };

async function freePorts(count: number): Promise<readonly number[]> {
  const ports = new Set<number>();
  while (ports.size < count) ports.add(await freePort());
  return [...ports];
}

/**
 * Returns the configuration of the recipe with ports and paths of this test, and the mechanisms for
 * clear-text passwords.
 */
function nginxConfig(): string {
  return replaceEach(recipeFile('nginx-mail', '/etc/nginx/nginx.conf'), {
    ...Object.fromEntries(NAMES.map((name) => [`0.0.0.0:${FRONTS[name]}`, `127.0.0.1:${fronts[name]}`])),
    '127.0.0.1:8025': `127.0.0.1:${backs.http}`,
    'smtp_auth plain login': 'smtp_auth plain login cram-md5',
    'imap_auth plain login': 'imap_auth plain login cram-md5',
    'pop3_auth plain': 'pop3_auth plain apop cram-md5',
    'worker_processes auto': 'worker_processes 1',
    '/run/nginx.pid': join(folder, 'nginx.pid'),
    '/var/log/nginx/error.log': 'stderr',
    '/etc/nginx/fullchain.pem': files.cert,
    '/etc/nginx/privkey.pem': files.key,
    '/etc/nginx/client-ca.pem': files.ca,
  });
}

/**
 * Starts the command with the config file of the recipe, and with ports and paths of this test. The
 * users have clear-text passwords, and the database of the user `temporary` is down.
 */
async function startServer(): Promise<RunningPostern> {
  const [config, secret] = [join(folder, 'postern.config.ts'), join(folder, 'nginx.secret')];
  const text = replaceEach(recipeFile('nginx-mail', '/etc/postern/postern.config.ts'), {
    ...Object.fromEntries(BACK_NAMES.map((name) => [`127.0.0.1:${BACKS[name]}`, `127.0.0.1:${backs[name]}`])),
    "'sqlite:/var/lib/postern/users.db'": "down, 'memory:joe@example.com:s3cret', 'memory:eve@example.com:s3cret'",
    '/etc/postern/nginx.secret': secret,
    '/var/mail/postern': join(folder, 'mail'),
  });
  // Node finds the packages from there.
  await symlink(fileURLToPath(new URL('../../node_modules', import.meta.url)), join(folder, 'node_modules'));
  await writeFile(join(folder, 'package.json'), '{"type":"module"}');
  await writeFile(config, `${DOWN}${text}`);
  await writeFile(secret, 'nginx-secret\n', { mode: 0o600 });
  const server = await startPostern('--config', config);
  await server.said(/^listening smtp/m);
  return server;
}

const DOWN = `
import { UsernamePassword } from '@postern/cred';

const down = checker([UsernamePassword], ({ username }) => {
  if (username === 'temporary@example.com') throw new Error('the database is down');
  return undefined;
});
`;

/** Sends a message with curl. */
async function submit(front: 'smtp' | 'smtps', login: Login, options: readonly string[] = []): Promise<Ended> {
  const { user = 'joe@example.com', subject = 'refused', sender = user } = login;
  const message = join(folder, `${randomUUID()}.eml`);
  await writeFile(message, `From: ${sender}\r\nSubject: ${subject}\r\n\r\nHello.\r\n`);
  const mail = words`--mail-from ${sender} --mail-rcpt joe@example.com --upload-file ${message}`;
  return await curl(front, login, [...mail, '--verbose', ...options]);
}

function curl(front: Front, login: Login, options: readonly string[] = []): Promise<Ended> {
  const { mechanism = 'PLAIN', user = 'joe@example.com', password = 's3cret', address = CLIENT } = login;
  return run('curl', [
    ...words`--silent --show-error --ipv4 --interface ${address} --cacert ${files.ca}`,
    ...words`${front === 'smtp' ? ['--ssl-reqd'] : []}`,
    ...(options.includes('--url') ? [] : words`--url ${front}://localhost:${String(fronts[front])}/`),
    ...words`--user ${`${user}:${password}`} --login-options AUTH=${mechanism}`,
    ...options,
  ]);
}

/** Says these lines, each after the reply to the line before, and resolves to all replies. */
async function dialogue(front: 'smtps', lines: readonly string[]): Promise<readonly string[]> {
  const ca = await readFile(files.ca);
  const tcp = connect({ port: fronts[front], host: '127.0.0.1', localAddress: CLIENT });
  const socket = connectTls({ socket: tcp, servername: 'localhost', ca });
  await once(socket, 'secureConnect');
  const replies: string[] = [];
  const rest = [...lines];
  for await (const line of createInterface(socket)) {
    // RFC 5321 §4.2.1: a hyphen follows the code of each line but the last.
    if (/^\d{3}-/.test(line)) continue;
    replies.push(line);
    const next = rest.shift();
    if (next === undefined) break;
    socket.write(`${next}\r\n`);
  }
  socket.destroy();
  return replies;
}

/** The message of PLAIN (RFC 4616) in base64. */
function plain(user: string, password: string): string {
  return Buffer.from(`\0${user}\0${password}`).toString('base64');
}

/** Resolves to the delivered message with this subject. */
async function delivered(subject: string): Promise<string> {
  const inbox = join(folder, 'mail', 'joe@example.com', 'new');
  const texts = await Promise.all((await readdir(inbox)).map((name) => readFile(join(inbox, name), 'latin1')));
  return texts.find((text) => text.includes(`Subject: ${subject}\r\n`)) ?? '';
}
