import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTransport } from 'nodemailer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CertificateFiles, certificateFiles } from '../support/certificates.ts';
import { outputOf } from '../support/password-tools/password-tool.ts';
import { type RunningPostern, runPostern, startPostern } from '../support/postern.ts';
import { run, skips, words } from '../support/program.ts';

/** The password of every user. */
const PASSWORD = 'gr\u00fcn 7:s3cret';
const MESSAGE = 'From: joe@example.com\r\nSubject: hello\r\n\r\nhello\r\n';

let folder: string;
let files: CertificateFiles;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-users-'));
  files = await certificateFiles(folder);
  await writeFile(join(folder, 'message.eml'), MESSAGE);
});
afterAll(() => rm(folder, { recursive: true }));

/** A file of another program: its users, and how it is written. */
interface Source {
  readonly title: string;
  /** The names of users who may log in. */
  readonly users: readonly string[];
  /** The names of users without a password. */
  readonly locked: readonly string[];
  readonly write: (file: string) => Promise<void>;
  readonly skips: boolean;
}

const SOURCES: readonly Source[] = [
  {
    title: 'htpasswd file by htpasswd',
    skips: skips('htpasswd', 'apache2-utils'),
    users: ['bcrypt', 'sha256', 'sha512', 'rounds', 'apr1'],
    locked: ['star'],
    async write(file) {
      const add = (...args: readonly string[]) => outputOf('htpasswd', ['-b', ...args, PASSWORD]);
      await add('-c', '-B', file, 'bcrypt');
      await add('-2', file, 'sha256');
      await add('-5', file, 'sha512');
      await add('-5', '-r', '5000', file, 'rounds');
      await add('-m', file, 'apr1');
      // htpasswd writes `*0` for a number of rounds that libcrypt refuses.
      await add('-5', '-r', '10', file, 'star');
    },
  },
  {
    title: 'passwd-file by doveadm',
    skips: skips('doveadm', 'dovecot-core'),
    users: ['argon2id', 'blf-crypt', 'sha512-crypt', 'ssha512', 'pbkdf2', 'scram-sha-256', 'plain.b64'],
    locked: [],
    async write(file) {
      for (const scheme of this.users) {
        const secret = await outputOf('doveadm', ['pw', '-s', scheme.toUpperCase(), '-p', PASSWORD]);
        await appendFile(file, `${scheme}:${secret}:1000:1000::/home/${scheme}::userdb_mail=maildir:~/Maildir\n`);
      }
    },
  },
  {
    title: 'shadow file by mkpasswd and useradd',
    skips: skips('mkpasswd', 'whois') || skips('useradd', 'passwd'),
    users: ['yescrypt', 'sha512crypt', 'bcrypt'],
    locked: ['new', 'stopped'],
    async write(file) {
      await outputOf('mkdir', ['-p', join(folder, 'root/etc')]);
      for (const name of ['passwd', 'shadow', 'group', 'gshadow']) await writeFile(join(folder, 'root/etc', name), '');
      const prefix = ['--prefix', join(folder, 'root')];
      for (const method of ['yescrypt', 'sha512crypt', 'bcrypt', 'stopped']) {
        const hash = await outputOf('mkpasswd', ['-m', method === 'stopped' ? 'yescrypt' : method, PASSWORD]);
        await outputOf('useradd', [...prefix, '-p', hash, method]);
      }
      await outputOf('usermod', [...prefix, '-L', 'stopped']);
      await outputOf('useradd', [...prefix, 'new']);
      await outputOf('cp', [join(folder, 'root/etc/shadow'), file]);
    },
  },
];

for (const source of SOURCES) {
  describe.skipIf(source.skips).concurrent(`users of a ${source.title}`, () => {
    let postern: RunningPostern;

    beforeAll(async () => {
      const file = join(folder, source.title.replaceAll(' ', '-'));
      const database = `sqlite:${file}.db`;
      await source.write(file);
      const { code, output } = await runPostern(['user', 'import', '--db', database, file]);
      expect(code, output).toBe(0);
      expect(output).toContain(`added ${source.users.length + source.locked.length} users to ${database}\n`);
      for (const user of source.locked) expect(output).toContain(`: ${user}: has no password`);
      postern = await startPostern(
        ...words`--listen smtp://127.0.0.1:0 --tls-cert ${files.cert} --tls-key ${files.key} --auth ${database}`,
        ...words`--deliver maildir:${join(folder, 'mail')} --hostname localhost --log json`,
      );
    });
    afterAll(async () => {
      expect(await postern.stop()).toBe(0);
      expect(postern.output()).not.toContain('s3cret');
    });

    describe.skipIf(skips('curl', 'curl'))('with curl', () => {
      for (const user of source.users) {
        it(`${user} sends a message, and is refused with a wrong password`, async () => {
          expect(await curl(postern, user, PASSWORD)).toMatchObject({ code: 0 });
          expect(await curl(postern, user, `${PASSWORD}x`)).toMatchObject({ code: LOGIN_DENIED });
        });
      }
      for (const user of source.locked) {
        it(`${user} is refused`, async () => {
          expect(await curl(postern, user, PASSWORD)).toMatchObject({ code: LOGIN_DENIED });
        });
      }
    });

    describe('with nodemailer', () => {
      for (const user of source.users) {
        it(`${user} sends a message, and is refused with a wrong password`, async () => {
          expect(await nodemailer(postern, user, PASSWORD)).toMatchObject({ accepted: ['ann@example.com'] });
          await expect(nodemailer(postern, user, `${PASSWORD}x`)).rejects.toMatchObject({
            code: 'EAUTH',
            responseCode: 535,
          });
        });
      }
    });

    describe.skipIf(skips('mutt', 'mutt'))('with mutt', () => {
      for (const user of source.users) {
        it(`${user} sends a message, and is refused with a wrong password`, async () => {
          const right = await mutt(postern, user, PASSWORD);
          expect(right.code, right.output).toBe(0);
          const wrong = await mutt(postern, user, `${PASSWORD}x`);
          expect(wrong.code, wrong.output).not.toBe(0);
          expect(wrong.output).toContain('SASL authentication failed');
        });
      }
    });
  });
}

function curl({ urls }: RunningPostern, user: string, password: string) {
  return run('curl', [
    ...words`--silent --show-error --ipv4 --cacert ${files.ca} --ssl-reqd --url smtp://localhost:${urls[0]?.port ?? ''}`,
    ...words`--user ${`${user}:${password}`} --mail-from joe@example.com --mail-rcpt ann@example.com`,
    ...words`--upload-file ${join(folder, 'message.eml')}`,
  ]);
}

async function nodemailer({ urls }: RunningPostern, user: string, pass: string) {
  const transport = createTransport({
    host: '127.0.0.1',
    port: Number(urls[0]?.port),
    requireTLS: true,
    tls: { ca: await readFile(files.ca), servername: 'localhost' },
    auth: { user, pass },
  });
  try {
    return await transport.sendMail({ envelope: { from: 'joe@example.com', to: 'ann@example.com' }, raw: MESSAGE });
  } finally {
    transport.close();
  }
}

async function mutt({ urls }: RunningPostern, user: string, password: string) {
  const settings = await mkdtemp(join(folder, 'mutt-')).then((home) => join(home, 'muttrc'));
  await writeFile(
    settings,
    [
      'set charset=utf-8',
      `set smtp_url="smtp://${user}@localhost:${urls[0]?.port}/" smtp_pass="${password}" ssl_force_tls=yes`,
      `set certificate_file="${files.ca}" from=joe@example.com copy=no`,
      '',
    ].join('\n'),
  );
  return run('env', [...words`HOME=${folder} TERM=dumb mutt -n -F ${settings} -s hello -- ann@example.com`], 'hello\n');
}

/** CURLE_LOGIN_DENIED. */
const LOGIN_DENIED = 67;
