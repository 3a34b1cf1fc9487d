import { randomBytes, randomInt } from 'node:crypto';
import { libcrypt } from '@postern/crypt';
import { HashQueue } from '@postern/users';
import { afterAll, describe, expect, test } from 'vitest';
import { run, skips } from '../support/program.ts';

/** The most octets of a password that crypt(3) takes; htpasswd takes 256. */
const MAX_OCTETS = 200;

const queue = new HashQueue();
afterAll(() => queue.close());

/** Hashes with the code of `@postern/users`, in its threads. */
function ours(password: string, setting: string): Promise<string> {
  const octets = Buffer.from(password);
  return queue.run({ place: 'thread', memory: 0 }, ({ bcrypt, crypt }) =>
    setting.startsWith('$2') ? bcrypt(octets, setting) : crypt(octets, setting),
  );
}

/** Returns random text of one to four octets a character, without NUL and line ends. */
function randomPassword(maxOctets = MAX_OCTETS): string {
  let password = '';
  const octets = randomInt(8) === 0 ? maxOctets : randomInt(1, 40);
  while (Buffer.byteLength(password) < octets - 4) {
    const kind = randomInt(8);
    const codePoint =
      kind === 0 ? randomInt(0xa1, 0xd800) : kind === 1 ? randomInt(0x1f300, 0x1f600) : randomInt(0x20, 0x7f);
    password += String.fromCodePoint(codePoint);
  }
  return password || 'x';
}

function randomSalt(length: number): string {
  return Array.from(randomBytes(length), (octet) => ALPHABET[octet & 63]).join('');
}

function pick<T>(values: readonly T[]): T {
  return values[randomInt(values.length)] as T;
}

const ALPHABET = './ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** Settings for each scheme, with random salt and rounds. The end of a bcrypt salt has two bits. */
const SETTINGS: readonly (() => string)[] = [
  () => `$1$${randomSalt(randomInt(9))}$`,
  () => `$5$${randomSalt(randomInt(17))}$`,
  () => `$6$${randomSalt(randomInt(17))}$`,
  () => `$5$rounds=${randomInt(1000, 3000)}$${randomSalt(randomInt(17))}$`,
  () => `$6$rounds=${randomInt(1000, 3000)}$${randomSalt(randomInt(17))}$`,
  () => `$2${pick(['a', 'b', 'y'])}$04$${randomSalt(21)}${pick(['.', 'O', 'e', 'u'])}`,
];

describe.skipIf(skips('perl', 'perl-base'))('crypt(3)', () => {
  test('600 random hashes are those of libcrypt', async () => {
    const pairs = Array.from({ length: 600 }, (_, index) => ({
      password: randomPassword(),
      setting: SETTINGS[index % SETTINGS.length]?.() ?? '',
    }));
    const lines = pairs.map(({ password, setting }) => `${Buffer.from(password).toString('hex')} ${setting}\n`);
    const program = 'my ($password, $setting) = split; print crypt(pack("H*", $password), $setting), "\n"';
    const { output } = await run('perl', ['-ne', program], lines.join(''));
    const theirs = output.trimEnd().split('\n');
    expect(theirs).toHaveLength(pairs.length);
    for (const [index, { password, setting }] of pairs.entries()) {
      expect({ password, hash: await ours(password, setting) }).toEqual({ password, hash: theirs[index] });
    }
  });

  test('hashes of each further scheme of libcrypt are those of perl', async () => {
    const crypt = libcrypt();
    const settings = [
      '$y$j75$abcdefgh$',
      '$gy$j75$abcdefgh$',
      '$7$66..../....abcdefgh$',
      '$sha1$100$abc$',
      '$md5$abc$',
      '$3$',
      'ab',
    ];
    for (const setting of settings) {
      const { output } = await run('perl', ['-e', 'print crypt("secret", $ARGV[0])', setting]);
      expect(await crypt.hash(Buffer.from('secret'), setting)).toBe(output);
    }
  });
});

test.skipIf(skips('openssl', 'openssl'))('random hashes are those of openssl passwd', async () => {
  for (const option of ['-1', '-apr1', '-5', '-6']) {
    const salt = randomSalt(8);
    const passwords = Array.from({ length: 40 }, () => randomPassword());
    const { output } = await run('openssl', ['passwd', option, '-salt', salt, '-stdin'], `${passwords.join('\n')}\n`);
    const hashes = output.trimEnd().split('\n');
    expect(hashes).toHaveLength(passwords.length);
    for (const [index, hash] of hashes.entries()) expect(await ours(passwords[index] ?? '', hash)).toBe(hash);
  }
});

test.skipIf(skips('htpasswd', 'apache2-utils'))('hashes of htpasswd are equal to ours', async () => {
  for (const options of [['-B', '-C', '4'], ['-m'], ['-2'], ['-5'], ['-5', '-r', '1234']]) {
    for (let count = 0; count < 8; count++) {
      const password = randomPassword();
      const [, hash = ''] =
        /^joe:(\S+)/.exec((await run('htpasswd', ['-n', '-i', ...options, 'joe'], password)).output) ?? [];
      expect(hash).not.toBe('');
      expect({ password, hash: await ours(password, hash) }).toEqual({ password, hash });
    }
  }
});

test.skipIf(skips('mkpasswd', 'whois'))('hashes of mkpasswd are equal to ours', async () => {
  for (const options of [
    ['-m', 'md5'],
    ['-m', 'sha-256'],
    ['-m', 'sha-512', '-R', '2000'],
    ['-m', 'bcrypt', '-R', '4'],
    ['-m', 'bcrypt-a', '-R', '4'],
  ]) {
    const password = randomPassword();
    const { output } = await run('mkpasswd', ['-s', ...options], password);
    const hash = output.trim();
    expect({ password, hash: await ours(password, hash) }).toEqual({ password, hash });
  }
});
