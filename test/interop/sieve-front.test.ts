import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CertificateFiles, certificateFiles } from '../support/certificates.ts';
import { type RunningDovecot, startDovecot } from '../support/dovecot.ts';
import { freePort } from '../support/free-port.ts';
import { type RunningPostern, startPostern, UNTHROTTLED_CONFIG } from '../support/postern.ts';
import { type Ended, run, skips, words } from '../support/program.ts';
import { ResourceStack } from '../support/resource-stack.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const CHANNELS = ['clear text', 'STARTTLS'] as const;
type Channel = (typeof CHANNELS)[number];

const resources = new ResourceStack();
let folder: string;
let files: CertificateFiles;
let dovecot: RunningDovecot;
let postern: RunningPostern;

const skipped =
  skips('dovecot', 'dovecot-core') ||
  skips('/usr/lib/dovecot/managesieve', 'dovecot-managesieved') ||
  skips('sieve-connect', 'sieve-connect');

describe.skipIf(skipped)('a ManageSieve front before Pigeonhole of Dovecot', () => {
  beforeAll(async () => {
    folder = resources.use(temporaryFolder('sieve-front')).path;
    files = await certificateFiles(folder);
    const sieve = await freePort();
    const maildir = join(folder, 'mail', '%u');
    // Only the master user gets in, for users that Dovecot does not know.
    dovecot = resources.use(await startDovecot({}, { ports: { sieve }, maildir, masters: { door: '{PLAIN}m4ster' } }));
    const password = join(folder, 'master-password');
    await writeFile(password, 'm4ster\n', { mode: 0o600 });
    postern = await startPostern(
      ...words`--config ${UNTHROTTLED_CONFIG} --listen sieve://127.0.0.1:0?tls=none --listen sieve://127.0.0.1:0`,
      ...words`--tls-cert ${files.cert} --tls-key ${files.key} --hostname localhost --log json`,
      ...words`--auth memory:joe:s3cret`,
      ...words`--back-end sieve://127.0.0.1:${String(sieve)}?masterUser=door&password=file:${password}`,
    );
    resources.defer(async () => {
      expect(await postern.stop()).toBe(0);
      expect(postern.output()).not.toMatch(/s3cret|czNjcmV0|m4ster/);
    });
    console.log((await run('sieve-connect', ['--version'])).output.split('\n')[0]);
  });

  afterAll(() => resources.close());

  describe.each(CHANNELS)('over %s', (channel) => {
    for (const mechanism of ['PLAIN', 'LOGIN', 'CRAM-MD5', ITS_CHOICE]) {
      it(`sieve-connect lists no scripts with ${mechanism}`, async () => {
        expect(await sieveConnect(channel, ['--list'], { mechanism })).toEqual({ code: 0, output: '' });
      });

      it(`sieve-connect is refused with ${mechanism} and a wrong password`, async () => {
        const { code, output } = await sieveConnect(channel, ['--list'], { mechanism, password: 'wrong' });
        expect(code, output).not.toBe(0);
        expect(output).toMatch(/^Authentication refused by server$/m);
      });
    }

    it('sieve-connect uploads, lists, downloads and deletes a script, octet for octet', async () => {
      const [script, copy, commands] = ['script', 'copy', 'commands'].map((name) => join(folder, name)) as [
        string,
        string,
        string,
      ];
      await writeFile(script, SCRIPT);
      await writeFile(
        commands,
        `upload ${script} main\nactivate main\nlist\ndownload main ${copy}\ndeactivate\ndelete main\nlist\n`,
      );
      const { code, output } = await sieveConnect(channel, ['--exec', commands]);
      expect(code, output).toBe(0);
      // The second list is empty.
      expect(output.trim()).toBe('"main" ACTIVE');
      expect(await readFile(copy, 'utf8')).toBe(SCRIPT);
    });

    it('sieve-connect hears what Pigeonhole says about a script with a fault', async () => {
      const script = join(folder, 'fault.sieve');
      await writeFile(script, 'keep\r\n');
      const { output } = await sieveConnect(channel, words`--checkscript --localsieve ${script}`);
      expect(output).toMatch(/error: expected end of command/);
    });
  });

  it('sends only the login of the master user to Dovecot', () => {
    expect(dovecot.output()).toMatch(/managesieve-login: Info: Login: user=<joe>, method=PLAIN/);
    expect(dovecot.output()).not.toMatch(/method=(?!PLAIN)/);
  });
});

/** Runs sieve-connect as joe. */
function sieveConnect(
  channel: Channel,
  action: readonly string[],
  { mechanism = ITS_CHOICE, password = 's3cret' } = {},
): Promise<Ended> {
  const [clear, tls] = postern.urls;
  const port = (channel === 'STARTTLS' ? tls : clear)?.port ?? '';
  return run(
    'sieve-connect',
    [
      ...words`--nosrv -4 --server localhost --port ${port} ${channel === 'STARTTLS' ? '--noclearchan' : '--clearchan'}`,
      ...words`--tlscafile ${files.ca} --user joe --passwordfd 0`,
      ...words`${mechanism === ITS_CHOICE ? [] : ['--authmech', mechanism]} ${action}`,
    ],
    `${password}\n`,
  );
}

const ITS_CHOICE = 'its own choice';

/** A script of more than 64 KiB with octets above 127 and lines that look like replies. */
const SCRIPT = [
  'require ["fileinto", "imap4flags"];',
  '# Grüße, 你好, "quoted" and {5}',
  '/*',
  'OK "this is no reply"',
  'NO {3+}',
  '*/',
  ...Array.from({ length: 1024 }, (_, index) => `# ${index} ${'x'.repeat(64)}`),
  'if header :contains "subject" "dots" {',
  '  fileinto "Dots";',
  '}',
  '',
].join('\r\n');
