import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CertificateFiles, certificateFiles } from '../support/certificates.ts';
import type { Daemon } from '../support/daemon.ts';
import { startDovecot } from '../support/dovecot.ts';
import { freePort } from '../support/free-port.ts';
import { startHaproxy } from '../support/haproxy.ts';
import { type RunningPostern, startPostern } from '../support/postern.ts';
import { type Ended, run, skips, words } from '../support/program.ts';
import { recipeFile, replaceEach } from '../support/recipe.ts';
import { ResourceStack } from '../support/resource-stack.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { TestUserDatabase } from '../support/user-database.ts';

/** The ports of haproxy in the recipe, and the port of Postern behind each. */
const SERVICES = {
  submission: [587, 10587],
  submissions: [465, 10465],
  pop3s: [995, 10995],
  imaps: [993, 10993],
} as const;
type Service = keyof typeof SERVICES;
const NAMES = Object.keys(SERVICES) as Service[];

/** The address of the client. haproxy connects to Postern from 127.0.0.1. */
const CLIENT = '127.0.0.9';

const resources = new ResourceStack();
let folder: string;
let files: CertificateFiles;
let ports: Readonly<Record<Service, { readonly front: number; readonly back: number }>>;
let haproxy: Daemon;
let postern: RunningPostern;

const skipped =
  skips('haproxy', 'haproxy') ||
  skips('curl', 'curl') ||
  skips('dovecot', 'dovecot-core') ||
  skips('/usr/lib/dovecot/imap', 'dovecot-imapd');

describe.skipIf(skipped)('the recipe docs/recipes/haproxy.md', () => {
  beforeAll(async () => {
    for (const program of ['haproxy', 'curl']) {
      console.log((await run(program, [program === 'curl' ? '--version' : '-v'])).output.split('\n')[0]);
    }
    folder = resources.use(temporaryFolder('haproxy')).path;
    files = await certificateFiles(folder);
    const [imap, ...free] = await freePorts(1 + 2 * NAMES.length);
    const pairs = NAMES.map((name, index) => [name, { front: free[2 * index], back: free[2 * index + 1] }]);
    ports = Object.fromEntries(pairs) as typeof ports;
    await startImapServer(Number(imap));
    postern = await startPostern('--config', await posternConfig(Number(imap)));
    resources.defer(() => postern.stop());
    haproxy = resources.use(await startHaproxy(folder, await haproxyConfig()));
  });

  afterAll(() => resources.close());

  it.each(NAMES)('finds %s healthy', async (name) => {
    await haproxy.said(new RegExp(`Health check for server ${name}/mail1 succeeded`));
  });

  it('leaves nothing in the log but the connections of health checks', () => {
    const lines = postern.output().trim().split('\n');
    const others = lines.filter((line) => !/^listening | (?:connected|closed) remote=127\.0\.0\.1:/.test(line));
    expect(others).toEqual([]);
  });

  it.each(['submission', 'submissions'] as const)('delivers a message over %s', async (name) => {
    const message = join(folder, `${name}.eml`);
    await writeFile(message, `From: joe@example.com\r\nSubject: ${name}\r\n\r\nHello.\r\n`);
    const { code, output } = await curl(name, 's3cret', [
      ...words`--mail-from joe@example.com --mail-rcpt joe@example.com --upload-file ${message}`,
    ]);
    expect(code, output).toBe(0);
    const text = await delivered(name);
    // RFC 3848: ESMTP with TLS and a login. The client's address is not the one of haproxy.
    expect(text).toContain('with ESMTPSA');
    expect(text).toContain(`[${CLIENT}]`);
  });

  it('offers PLAIN and no STARTTLS where haproxy ends TLS', async () => {
    const { output } = await curl('submissions', 's3cret', ['--verbose', '--mail-from', 'joe@example.com']);
    expect(output).toMatch(/^< 250[- ]AUTH .*\bPLAIN\b/m);
    expect(output).not.toContain('STARTTLS');
  });

  it.each(['pop3s', 'imaps'] as const)('logs in over %s', async (name) => {
    expect(await curl(name, 's3cret')).toMatchObject({ code: 0 });
  });

  it.each(NAMES.map((name, index) => [name, index + 1] as const))(
    'logs the address of the client at %s',
    async (name, refusals) => {
      const expected = name === 'submission' || name === 'submissions' ? ['--mail-from', 'joe@example.com'] : [];
      expect(await curl(name, 'wrong', expected)).toMatchObject({ code: 67 });
      await postern.said(
        new RegExp(`login refused remote=${CLIENT.replaceAll('.', '\\.')}:\\d+ .*code=unauthorized`),
        refusals,
      );
    },
  );

  it('is found down by haproxy when it ends', async () => {
    expect(await postern.stop()).toBe(0);
    for (const name of NAMES) await haproxy.said(new RegExp(`Server ${name}/mail1 is DOWN`));
  });
});

async function freePorts(count: number): Promise<readonly number[]> {
  const ports = new Set<number>();
  while (ports.size < count) ports.add(await freePort());
  return [...ports];
}

async function startImapServer(imap: number): Promise<void> {
  const maildir = join(folder, 'dovecot', '%u');
  resources.use(await startDovecot({}, { ports: { imap }, maildir, masters: { postern: '{PLAIN}m4ster' } }));
}

/** Writes the config file of the recipe with the ports and paths of this test. */
async function posternConfig(imap: number): Promise<string> {
  const users = resources.use(new TestUserDatabase());
  await users.expect(['add', 'joe'], 's3cret\n');
  const password = join(folder, 'master-password');
  await writeFile(password, 'm4ster\n', { mode: 0o600 });
  const file = join(folder, 'postern.config.ts');
  const text = replaceEach(recipeFile('haproxy', '/etc/postern/postern.config.ts'), {
    ...Object.fromEntries(NAMES.map((name) => [`10.0.0.11:${SERVICES[name][1]}`, `127.0.0.1:${ports[name].back}`])),
    '10.0.0.2': '127.0.0.1',
    '/etc/postern/fullchain.pem': files.cert,
    '/etc/postern/privkey.pem': files.key,
    'sqlite:/var/lib/postern/users.db': users.spec,
    '/var/mail/postern': join(folder, 'mail'),
    '127.0.0.1:1143': `127.0.0.1:${imap}`,
    '/run/secrets/imap': password,
  });
  await writeFile(file, text);
  return file;
}

/** Returns the configuration of the recipe with ports and paths of this test, and fast checks. */
async function haproxyConfig(): Promise<string> {
  const pem = join(folder, 'mail.pem');
  await writeFile(pem, `${await readFile(files.cert, 'utf8')}\n${await readFile(files.key, 'utf8')}`);
  return replaceEach(recipeFile('haproxy', '/etc/haproxy/haproxy.cfg'), {
    ...Object.fromEntries(
      NAMES.flatMap((name) => [
        [`0.0.0.0:${SERVICES[name][0]}`, `127.0.0.1:${ports[name].front}`],
        [`10.0.0.11:${SERVICES[name][1]}`, `127.0.0.1:${ports[name].back}`],
      ]),
    ),
    '/etc/haproxy/mail.pem': pem,
    ' check\n': ' check inter 300ms\n',
  });
}

function curl(name: Service, password: string, options: readonly string[] = []): Promise<Ended> {
  const [scheme, tls] = {
    submission: ['smtp', ['--ssl-reqd']],
    submissions: ['smtps', []],
    pop3s: ['pop3s', []],
    imaps: ['imaps', []],
  }[name] as [string, string[]];
  return run('curl', [
    ...words`--silent --show-error --ipv4 --interface ${CLIENT} --cacert ${files.ca} ${tls}`,
    ...words`--url ${scheme}://localhost:${String(ports[name].front)}/ --user joe:${password} --login-options AUTH=PLAIN`,
    ...options,
  ]);
}

/** Resolves to the delivered message with this subject. */
async function delivered(subject: string): Promise<string> {
  const inbox = join(folder, 'mail', 'joe@example.com', 'new');
  await mkdir(inbox, { recursive: true });
  const texts = await Promise.all((await readdir(inbox)).map((name) => readFile(join(inbox, name), 'latin1')));
  return texts.find((text) => text.includes(`Subject: ${subject}\r\n`)) ?? '';
}
