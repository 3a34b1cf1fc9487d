import { type LibcryptOptions, libcrypt } from '@postern/crypt';
import { SecretError } from '@postern/users';
import { describe, expect, test } from 'vitest';

/** Undefined on a machine without libxcrypt. */
const crypt = tryLibcrypt();
if (crypt === undefined) console.warn('skipped: no libxcrypt here; on Debian install libcrypt1');

function tryLibcrypt(): ReturnType<typeof libcrypt> | undefined {
  try {
    return libcrypt();
  } catch {
    return undefined;
  }
}

const MIB = 2 ** 20;
const password = Buffer.from('secret');

describe.skipIf(crypt === undefined)('libcrypt', () => {
  const { work, hash } = crypt ?? ({} as never);

  // Written by libxcrypt 4.4.33 through perl's crypt.
  test.each([
    ['yescrypt', '$y$j9T$abcdefghijklmnopqrstu.$7uryFExhLbAhrpK1WytVzeNObCUVaK3VoKccP3fJEIB', 16 * MIB],
    ['gost-yescrypt', '$gy$j9T$abcdefghijklmnopqrstu.$1s.TBXqOEDUKTM0p34w/5gMZfyrqbWRUh9/6Jmsd2X5', 16 * MIB],
    ['bcrypt', '$2b$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a', 0],
    ['sha1crypt', '$sha1$1000$abc$3BouD4k4kpP9zZN7ajk83qnpfntH', 0],
    ['SunMD5', '$md5,rounds=10$abcdefgh$$8ilunLmR980Ls26AwIcTK/', 0],
    ['NT', '$3$$878d8014606cda29677a44efa1353fc7', 0],
    ['BSDi DES', '_J9..abcd/H6HLCcf7nw', 0],
    ['DES', 'abNANd1rDfiNc', 0],
  ])('%s: %s', async (_scheme, stored, memory) => {
    expect(work(stored)).toEqual({ place: 'pool', memory });
    expect(await hash(password, stored)).toBe(stored);
    expect(await hash(Buffer.from('Secret'), stored)).not.toBe(stored);
  });

  test('several hashes at once do not mix', async () => {
    const settings = Array.from({ length: 8 }, (_, index) => `$2b$04$abcdefghijklmnopqrst${index}u`);
    const hashes = await Promise.all(settings.map((setting) => hash(password, setting)));
    for (const [index, setting] of settings.entries()) {
      expect(hashes[index]).toMatch(/^\$2b\$04\$/);
      expect(await hash(password, setting)).toBe(hashes[index]);
    }
    expect(new Set(hashes).size).toBe(8);
  });

  test('the password is not changed', async () => {
    const octets = Buffer.from('secret');
    await hash(octets, '$2b$04$abcdefghijklmnopqrstuu');
    expect(octets.toString()).toBe('secret');
  });

  test.each(['secret\0', '\0', `${'x'.repeat(511)}y`])('%j equals no hash', async (text) => {
    const visible = text.split('\0')[0]?.slice(0, 511) ?? '';
    const stored = await hash(Buffer.from(visible), '$1$abc$');
    expect(stored).toMatch(/^\$1\$abc\$/);
    expect(await hash(Buffer.from(text), '$1$abc$')).toBe('*0');
  });

  test('a password of 511 octets has a hash', async () => {
    expect(await hash(Buffer.alloc(511, 'x'), '$1$abc$')).toMatch(/^\$1\$abc\$.{22}$/);
  });

  test.each(['', '!', '*', '*0', 'x', '$9$foo', '$argon2id$v=19$m=8,t=1,p=1$', '$1$ab\0c$', 'plain text'])(
    'libcrypt does not know %j',
    async (setting) => {
      expect(work(setting)).toBeUndefined();
      expect(await hash(password, setting)).toBeUndefined();
    },
  );

  test.each([
    '$5$rounds=10$abc$',
    '$y$j9T',
    '$y$j',
    '$7$C',
    '$7$C...../....abc$',
    '$y$jzzT$abc$',
    '$2b$03$abcdefghijklmnopqrstuu',
  ])('the bad setting %s has no hash', async (setting) => {
    expect(await hash(password, setting)).toBeUndefined();
  });

  test.each([
    ['$y$jFT$abc$', 1024 * MIB],
    ['$y$j75$abc$', (16 * MIB) / 4 / 4],
    ['$7$C6..../....SodiumChloride$', 16 * MIB],
    ['$7$7/..../....abc$', 0],
  ])('%s needs %d octets', (setting, memory) => {
    expect(work(setting)).toMatchObject({ place: 'pool', memory });
  });

  test.each([
    ['$y$jGT$abc$', '2048 MiB'],
    ['$y$jjT$abc$', 'MiB'],
    ['$7$zzzzzzzzzzzabc$', 'MiB'],
    ['$y$jDT.j$abc$', 'p=49 and t=0'],
    ['$2b$18$abcdefghijklmnopqrstuu', 'bcrypt hash with a cost of 18: the highest cost is 17'],
    ['$2b$31$abcdefghijklmnopqrstuu', 'bcrypt'],
    ['$6$rounds=999999999$abc$', 'SHA-crypt'],
    ['$sha1$4000000000$abc$', 'sha1crypt'],
    ['$md5,rounds=4294963199$abc$', 'SunMD5'],
  ])('%s is refused, since it costs too much', async (setting, message) => {
    expect(() => work(setting)).toThrow(SecretError);
    expect(() => work(setting)).toThrow(message);
    await expect(hash(password, setting)).rejects.toThrow(SecretError);
  });
});

test.each<LibcryptOptions>([{ libraries: ['libmissing.so.9', 'libmissing.so.8'] }, { libraries: ['libc.so.6'] }])(
  'a library that is missing or has no crypt_rn is an error that says what to install: %j',
  (options) => {
    expect(() => libcrypt(options)).toThrow(/^lib\S+( and \S+)? cannot be loaded: install libxcrypt 4\.3 or newer/);
  },
);
