import { describe, expect, it } from 'vitest';
import type { Config } from '../../packages/postern/src/config.ts';
import { readSettings, settingsOf } from '../../packages/postern/src/settings.ts';
import { startWarnings } from '../../packages/postern/src/start-warnings.ts';
import { hasLiteralPassword } from '../../packages/postern/src/user-store-spec.ts';
import { runInProcess } from '../support/in-process.ts';

/** Returns the first words of each warning at the start. */
function warnings(config: Config, acceptsAnonymous = false): string[] {
  const tls = config.tls ?? { cert: 'cert.pem', key: 'key.pem' };
  const settings = settingsOf({ config: { ...config, tls }, nameOf: String });
  return startWarnings(settings, acceptsAnonymous).map(({ message }) => message.split(/[,:;]/)[0] ?? '');
}

const OPEN = ['smtp://0.0.0.0:587?tls=required'];
const WEAK = 'an attacker can guess a password of fewer than 8 characters';
const CROSS = 'passwords cross the network to this auth server without TLS';
const LONG = 'memory:joe:correct-horse';

describe('a password of a database in the arguments', () => {
  const URL = 'postgres://mail:s3cret@127.0.0.1:1/mail';

  it.each([
    [URL, true],
    ['postgres://mail@127.0.0.1/mail?sslmode=disable&password=s3cret', true],
    ['postgres://mail@127.0.0.1/mail?password=file:/run/secrets/db', false],
    ['postgres://mail@127.0.0.1/mail?password=env:DB_PASSWORD&sslmode=disable', false],
    ['postgres://mail@127.0.0.1:5432/mail', false],
    ['postgres://[::1]:5432/mail', false],
    ['sqlite:users.db', false],
  ])('is recognized: %s', (spec, isLiteral) => {
    expect(hasLiteralPassword(spec)).toBe(isLiteral);
  });

  it('causes a warning without the password in postern serve, and none in the config file', async () => {
    const settings = await readSettings(['--auth', URL], {});
    const [warning] = startWarnings(settings, false);
    expect(warning?.message).toContain('every user of this machine can read the password in the arguments (ps)');
    expect(JSON.stringify(warning)).not.toContain('s3cret');
    expect(startWarnings(settingsOf({ config: { auth: [URL] }, nameOf: String }), false)).toEqual([]);
  });

  it('causes a warning in postern user', async () => {
    const { output } = await runInProcess(['user', 'list', '--db', URL]);
    expect(output).toMatch(/^--db: every user of this machine can read the password/);
    expect(output).not.toContain('s3cret');
  });
});

describe('a configuration that remote clients reach', () => {
  it.each<[string, Config, boolean, string[]]>([
    ['a short password', { listen: OPEN, auth: ['memory:joe:secret'] }, false, [WEAK, 'memory']],
    ['two of them', { listen: OPEN, auth: ['memory:joe:1234567', 'memory:ann:a:b'] }, false, [WEAK, WEAK, 'memory']],
    ['eight characters', { listen: OPEN, auth: ['memory:joe:12345678'] }, false, ['memory']],
    ['eight characters, not octets', { listen: OPEN, auth: ['memory:joe:ä😀ä😀'] }, false, [WEAK, 'memory']],
    ['no TLS', { listen: ['smtp://0.0.0.0:587?tls=none'], auth: [LONG] }, false, ['no TLS', 'memory']],
    [
      'anonymous clients',
      { listen: OPEN, auth: ['anonymous'] },
      true,
      ['clients on other machines may send mail without a login'],
    ],
    [
      'no AUTH',
      { listen: ['smtp://*:25?auth=none'] },
      false,
      ['clients on other machines may send mail without a login'],
    ],
    [
      'an auth server',
      { listen: ['dovecot-auth://0.0.0.0:12345'], auth: [LONG] },
      false,
      [
        'each program that reaches this auth server can guess passwords in the name of any client address',
        CROSS,
        'memory',
      ],
    ],
    [
      'an auth server for each user of this machine',
      { listen: ['dovecot-auth+unix:/run/auth?mode=666'], auth: [LONG] },
      false,
      ['each program that reaches this auth server can guess passwords in the name of any client address'],
    ],
    ['an auth server for a group', { listen: ['dovecot-auth+unix:/run/auth?mode=660'], auth: [LONG] }, false, []],
    [
      'nginx without a secret',
      { listen: ['http://0.0.0.0:9000'], auth: [LONG] },
      false,
      [
        'each program that reaches this auth server can guess passwords in the name of any client address',
        CROSS,
        'memory',
      ],
    ],
    [
      'nginx with a secret',
      { listen: ['http://0.0.0.0:9000?secret=env:PATH'], auth: [LONG] },
      false,
      [CROSS, 'memory'],
    ],
    [
      'nginx with a secret on this machine',
      { listen: ['http+unix:/run/http?mode=666&secret=env:PATH'], auth: [LONG] },
      false,
      [],
    ],
    [
      'a directory',
      { listen: ['policy://0.0.0.0:12345'], auth: [LONG] },
      false,
      ['each program that reaches this listener can find out which addresses exist'],
    ],
    ['no throttle', { listen: OPEN, auth: [LONG], throttle: false }, false, ['memory', 'throttle']],
  ])('causes warnings: %s', (_, config, acceptsAnonymous, expected) => {
    expect(warnings(config, acceptsAnonymous)).toEqual(expected);
  });

  it('is reported with the user name and without the password', () => {
    const settings = settingsOf({
      config: { listen: ['smtp://0.0.0.0:587'], auth: ['memory:joe:secret'] },
      nameOf: String,
    });
    const told = JSON.stringify(startWarnings(settings, false));
    expect(told).toContain('"user":"joe"');
    expect(told).not.toContain('secret');
  });

  it('causes no warning with a database of the operator and TLS', () => {
    expect(warnings({ listen: OPEN })).toEqual([]);
  });
});

it.each([['smtp://127.0.0.1:2500?tls=none'], ['smtp://[::1]:2500'], ['smtp+unix:/run/postern'], ['lmtp://0.0.0.0:24']])(
  '%s causes no warning for test users',
  (url) => {
    expect(warnings({ listen: [url], auth: ['memory:joe:x'] })).toEqual([]);
  },
);

describe('a domain that submission refuses', () => {
  const config = { listen: ['smtp://127.0.0.1:0', 'pop3://127.0.0.1:0'], auth: [LONG], deliver: 'maildir:mail' };

  it('causes a warning if users read the mail of their names there', () => {
    expect(warnings({ ...config, hostname: 'box' })).toEqual([
      'a user without a domain in the name reads mail at this domain',
    ]);
  });

  it.each<Config>([
    { ...config, hostname: 'mail.example.com' },
    { ...config, hostname: 'box', domains: 'example.com' },
    { ...config, hostname: 'box', listen: ['smtp://127.0.0.1:0'] },
    { ...config, hostname: 'box', deliver: 'discard', mailboxes: 'maildir:mail' },
  ])('causes none with %j', (other) => {
    expect(warnings(other)).toEqual([]);
  });
});
