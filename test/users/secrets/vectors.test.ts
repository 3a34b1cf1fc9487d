import { parseSecret } from '@postern/users';
import { describe, expect, it } from 'vitest';
import { md4 } from '../../../packages/users/src/secrets/md4.ts';
import { threadsFor } from './threads.ts';

describe('argon2', () => {
  // The vectors of RFC 9106 §5 have a secret and associated data, which no stored secret has here.
  // These are of the reference implementation: src/test.c of libargon2.
  it.each([
    '$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4',
    '$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc',
    '$argon2i$v=19$m=256,t=2,p=1$c29tZXNhbHQ$iekCn0Y3spW+sCcFanM2xBT63UP2sghkUoHLIUpWRS8',
    '$argon2i$v=19$m=256,t=2,p=2$c29tZXNhbHQ$T/XOJ2mh1/TIpJHfCdQan76Q5esCFVoT5MAeIM1Oq2E',
    '$argon2i$v=16$m=256,t=2,p=1$c29tZXNhbHQ$/U3YPXYsSb3q9XxHvc0MLxur+GP960kN9j7emXX8zwY',
    '$argon2i$m=256,t=2,p=1$c29tZXNhbHQ$/U3YPXYsSb3q9XxHvc0MLxur+GP960kN9j7emXX8zwY',
    '$argon2i$m=256,t=2,p=2$c29tZXNhbHQ$tsEVYKap1h6scGt5ovl9aLRGOqOth+AMB+KwHpDFZPs',
    '$argon2d$v=19$m=256,t=2,p=1$c29tZXNhbHQ$JcTui6RIBUtJ78gE5Hi52CO+H5vS6Z9R1uxAB6OhUB8',
  ])('libargon2: %s', async (text) => {
    await isHashOf('password', text);
  });

  it('of version 16 differs from version 19', async () => {
    const text = '$argon2i$v=19$m=256,t=2,p=1$c29tZXNhbHQ$/U3YPXYsSb3q9XxHvc0MLxur+GP960kN9j7emXX8zwY';
    expect(await compare(text, 'password')).toBe(false);
  });

  it('reads the parameters in any order', async () => {
    await isHashOf('password', '$argon2id$v=19$p=1,t=2,m=256$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4');
  });
});

describe('scrypt', () => {
  it.each([
    [
      'password',
      { ln: 10, r: 8, p: 16, salt: 'NaCl' },
      'fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162' +
        '2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640',
    ],
    [
      'pleaseletmein',
      { ln: 14, r: 8, p: 1, salt: 'SodiumChloride' },
      '7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2' +
        'd5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887',
    ],
  ])('RFC 7914 §12: %s', async (password, { ln, r, p, salt }, hex) => {
    await isHashOf(
      password,
      `$scrypt$ln=${ln},r=${r},p=${p}$${b64(Buffer.from(salt))}$${b64(Buffer.from(hex, 'hex'))}`,
    );
  });
});

describe('PBKDF2', () => {
  it.each([
    [1, '0c60c80f961f0e71f3a9b524af6012062fe037a6'],
    [2, 'ea6c014dc72d6f8ccd1ed92ace1d41f0d8de8957'],
    [4096, '4b007901b765489abead49d926f721d065a429c1'],
  ])('RFC 6070 §2: %i iterations of SHA-1, in four spellings', async (iterations, hex) => {
    const salt = b64(Buffer.from('salt'));
    const hash = b64(Buffer.from(hex, 'hex'));
    await isHashOf('password', `$pbkdf2-sha1$i=${iterations}$${salt}$${hash}`);
    await isHashOf('password', `$pbkdf2$${iterations}$${salt}$${hash.replaceAll('+', '.')}`);
    await isHashOf('password', `{PBKDF2}${iterations}$${salt}$${hash.replaceAll('+', '.')}`);
    await isHashOf('password', `{PBKDF2}$1$salt$${iterations}$${hex}`);
  });

  // The first digest of each vector: a stored hash has no second one.
  it.each([
    ['passwd', 'salt', 1, '55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc'],
    ['Password', 'NaCl', 80_000, '4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56'],
  ])('RFC 7914 §11: SHA-256 of %s', async (password, salt, iterations, hex) => {
    await isHashOf(
      password,
      `$pbkdf2-sha256$i=${iterations},l=32$${b64(Buffer.from(salt))}$${b64(Buffer.from(hex, 'hex'))}`,
    );
  });
});

describe('MD4', () => {
  it.each([
    ['', '31d6cfe0d16ae931b73c59d7e0c089c0'],
    ['a', 'bde52cb31de33e46245e05fbdbd6fb24'],
    ['abc', 'a448017aaf21d8525fc10ae87aa6729d'],
    ['message digest', 'd9130a8164549fe818874806e1c7014b'],
    ['abcdefghijklmnopqrstuvwxyz', 'd79e1c308aa5bbcdeea8ed63df412da9'],
    ['ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789', '043f8582f241db351ce627e153e7f0e4'],
    [
      '12345678901234567890123456789012345678901234567890123456789012345678901234567890',
      'e33b4ddc9c38f2199c3e7b164fcc0536',
    ],
  ])('RFC 1320 §A.5: %j', (message, digest) => {
    expect(md4(Buffer.from(message)).toString('hex')).toBe(digest);
  });
});

async function isHashOf(password: string, text: string): Promise<void> {
  expect(await compare(text, password)).toBe(true);
  expect(await compare(text, `${password} `)).toBe(false);
}

async function compare(text: string, password: string): Promise<boolean> {
  const secret = parseSecret(text);
  if (secret.kind !== 'hash') throw new Error(secret.kind);
  return secret.compare(Buffer.from(password), threadsFor(''));
}

/** Base64 without padding. */
function b64(octets: Buffer): string {
  return octets.toString('base64').replaceAll('=', '');
}
