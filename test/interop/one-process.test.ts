import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startDovecot } from '../support/dovecot.ts';
import { freePort } from '../support/free-port.ts';
import { MAIL_SAMPLES } from '../support/mail-samples.ts';
import { type RunningPostern, startPostern } from '../support/postern.ts';
import { type Ended, run, skips, words } from '../support/program.ts';
import { ResourceStack } from '../support/resource-stack.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { TestUserDatabase } from '../support/user-database.ts';

const USER = 'joe@example.com';
const PROTOCOLS = ['smtp', 'lmtp', 'pop3', 'imap'] as const;

const resources = new ResourceStack();
let folder: string;
let postern: RunningPostern;

const skipped =
  skips('dovecot', 'dovecot-core') ||
  skips('/usr/lib/dovecot/imap', 'dovecot-imapd') ||
  skips('curl', 'curl') ||
  skips('swaks', 'swaks');

describe.skipIf(skipped)('one process with one user database', () => {
  beforeAll(async () => {
    folder = resources.use(temporaryFolder('one-process')).path;
    const users = resources.use(new TestUserDatabase());
    await users.expect(['add', USER], 's3cret\n');
    const masterPassword = join(folder, 'master-password');
    await writeFile(masterPassword, 'm4ster\n', { mode: 0o600 });
    const imap = await freePort();
    const backEnd = {
      ports: { imap },
      maildir: join(folder, 'dovecot', '%u'),
      masters: { door: '{PLAIN}m4ster' },
    };
    resources.use(await startDovecot({}, backEnd));
    postern = await startPostern(
      ...PROTOCOLS.flatMap((protocol) => ['--listen', `${protocol}://127.0.0.1:0`]),
      ...words`--auth ${users.spec} --deliver maildir:${join(folder, 'mail')} --hostname mail.example.com --log json`,
      ...words`--domains example.com --back-end imap://127.0.0.1:${String(imap)}?masterUser=door&password=file:${masterPassword}`,
    );
    resources.defer(async () => expect(await postern.stop()).toBe(0));
  });

  afterAll(() => resources.close());

  it('delivers over SMTP and LMTP what the user reads over POP3', async () => {
    const message = join(folder, 'message.eml');
    await writeFile(message, MAIL_SAMPLES[1] as Buffer);
    const send = words`--mail-from ${USER} --mail-rcpt ${USER} --upload-file ${message}`;
    expect(await curl('smtp', 's3cret', '', send)).toMatchObject({ code: 0 });
    const dotted = join(folder, 'dotted.eml');
    await writeFile(dotted, `${String(MAIL_SAMPLES[1])}.`);
    expect(await lmtp(dotted)).toMatchObject({ code: 0 });
    for (const number of ['1', '2']) {
      const { code, output } = await curl('pop3', 's3cret', number);
      expect(code).toBe(0);
      expect(output.endsWith(String(MAIL_SAMPLES[1]))).toBe(true);
    }
  });

  it('passes the same user to IMAP', async () => {
    const { code, output } = await curl('imap', 's3cret', '');
    expect(code, output).toBe(0);
    expect(output).toContain('INBOX');
  });

  it('refuses at POP3 and IMAP the user whose password was guessed at SMTP', async () => {
    for (let guess = 0; guess < MAX_GUESSES; guess++) {
      expect(await curl('smtp', `guess${guess}`, '', ['--mail-from', USER])).toMatchObject({ code: 67 });
    }
    // The password is right.
    expect(await curl('pop3', 's3cret', '')).toMatchObject({ code: 67 });
    expect(await curl('imap', 's3cret', '')).toMatchObject({ code: 67 });
  });
});

function curl(
  protocol: (typeof PROTOCOLS)[number],
  password: string,
  path: string,
  options: readonly string[] = [],
): Promise<Ended> {
  const url = `${protocol}://127.0.0.1:${portOf(protocol)}/${path}`;
  return run('curl', [...words`--silent --show-error --user ${USER}:${password} --url ${url}`, ...options]);
}

/** Delivers a file that ends in the final dot over LMTP. */
function lmtp(message: string): Promise<Ended> {
  return run('swaks', [
    ...words`--protocol LMTP --server 127.0.0.1 --port ${portOf('lmtp')} --silent 3 --timeout 60s --no-data-fixup`,
    ...words`--from ann@example.net --to ${USER} --data @${message}`,
  ]);
}

function portOf(protocol: (typeof PROTOCOLS)[number]): string {
  return postern.urls[PROTOCOLS.indexOf(protocol)]?.port ?? '';
}

/** The throttle's default for one user at one network. */
const MAX_GUESSES = 10;
