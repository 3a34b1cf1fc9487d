import { UsernamePassword } from '@postern/cred';
import { testMind } from '@postern/testing';
import { InMemoryUserStore, parseUserFile, UserChecker } from '@postern/users';
import { expect, test } from 'vitest';
import { startDovecot } from '../support/dovecot.ts';
import { run, skips } from '../support/program.ts';

const SHA512 = '$6$abcdefgh$Z7KfoKnKTSZrzo5VZ0YubGLQOj9ov6sHo9TmE3zIU/LHKhpE30zCnZ0mcIXYf9r9rQ4DYaXoxAFSPFlcWdxjB.';

/** The rest of a line after the name, and whether Dovecot and Postern accept `s3cret`. */
const LINES: Readonly<Record<string, readonly [rest: string, dovecot: boolean, postern: boolean]>> = {
  clear: ['{PLAIN}s3cret', true, true],
  lower: ['{plain}s3cret', true, true],
  trailing: ['{PLAIN}s3cret ', false, false],
  colon: ['{PLAIN}s3cret:x', true, true],
  crypt: [SHA512, true, true],
  scheme: [`{CRYPT}${SHA512}`, true, true],
  short: [`${SHA512}:1000:1000`, true, true],
  long: [`${SHA512}:1000:1000:Joe:/home/joe:/bin/sh`, true, true],
  mail: [`${SHA512}::::::userdb_mail=maildir:~/Maildir`, true, true],
  proxy: ['{PLAIN}s3cret::::::proxy=y host=192.0.2.9', true, true],
  unknown: ['{PLAIN}s3cret::::::disabled=y', true, true],
  crlf: ['{PLAIN}s3cret\r', true, true],
  seventh: ['{PLAIN}s3cret:1:1::/home:nologin', true, true],
  locked: [`!${SHA512}`, false, false],
  star: ['*', false, false],
  shadow: ['x', false, false],
  empty: ['', false, false],
  bare: ['s3cret', false, false],
  foreign: ['{FOO}s3cret', false, false],
  fail: ['{PLAIN}s3cret::::::fail=y', false, false],
  noauth: ['{PLAIN}s3cret::::::noauthenticate', false, false],
  delay: ['{PLAIN}s3cret::::::delay_until=4000000000', false, false],
  twice: ['{PLAIN}x::::::password={PLAIN}s3cret', false, false],
  // Dovecot leaves these limits to the program that asks, or lets in more than the hash does.
  nologin: ['{PLAIN}s3cret::::::nologin=no', true, false],
  protected: ['{PLAIN}s3cret::::::nologin:protected', true, false],
  nets: ['{PLAIN}s3cret::::::allow_nets=192.0.2.1', true, false],
  renamed: ['{PLAIN}s3cret::::::user=ann', true, false],
  domain: ['{PLAIN}s3cret::::::domain=a.example', true, false],
  anything: ['::::::nopassword', true, false],
};

const skipped = skips('dovecot', 'dovecot-core');

test.skipIf(skipped)('a user of a passwd-file that Dovecot keeps out is kept out', async () => {
  const lines = Object.entries(LINES);
  await using dovecot = await startDovecot(Object.fromEntries(lines.map(([name, [rest]]) => [name, rest])));
  const text = lines.map(([name, [rest]]) => `${name}:${rest}\n`).join('');
  const { users } = parseUserFile(text, { format: 'passwd-file' });
  await using checker = new UserChecker(new InMemoryUserStore(users), { onError: () => {} });
  const verdicts = lines.map(async ([name, [rest]]): Promise<[string, [string, boolean, boolean]]> => {
    const client = ['-x', 'service=smtp', '-x', 'rip=192.0.2.1'];
    const { output } = await run('doveadm', ['auth', 'test', '-a', dovecot.authSocket, ...client, name, 's3cret']);
    const login = checker.requestAvatarId(new UsernamePassword(name, 's3cret'), testMind());
    const isIn = await login.then(
      () => true,
      () => false,
    );
    expect(output).toMatch(/auth (succeeded|failed)/);
    return [name, [rest, output.includes('auth succeeded'), isIn]];
  });
  expect(Object.fromEntries(await Promise.all(verdicts))).toEqual(LINES);
});
