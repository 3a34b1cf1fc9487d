import { inspect } from 'node:util';
import { ScramSecret } from '@postern/sasl';
import { type Crypt, parseSecret, type Secret, SecretError } from '@postern/users';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyCharacter } from '../../support/any-character.ts';
import { runs } from '../../support/fuzz.ts';
import { threadsFor } from './threads.ts';

const SALT = 'c2FsdHNhbHRzYWx0c2E';
const HASH = 'aGFzaGhhc2hoYXNoaGFzaA';
const ARGON2 = `$argon2id$v=19$m=64,t=1,p=1$${SALT}$${HASH}`;
const BCRYPT = '$2b$12$Om3KCAoKFsyLMOH26n1KYuY.zuZF1xWxnsxVnZBmMCvZtAR5lnPt2';
const SHA256_CRYPT = '$5$SdXdBKIZ.yIhJVwq$YHWG70Au/z0dklyXYvCLKZhb3cmSJwyirwiGjNx62T6';
const SHA512_HASH = 'iHxSq87Lw8oZrcqoUSj0BSr5NJBnfdH1sRvq9jkXaoiRxmApi/icIr.TLJVMJcYo/I.IAQHpive71ZW9.gP9b0';
const SHA512_CRYPT = `$6$PrADFArp.MOCbUi3$${SHA512_HASH}`;
const MD5_CRYPT = '$1$aNaqn4rM$DJFpOb5ymBOqDxRI9frP90';
const APR1 = '$apr1$WE1CUn7q$2RWFBQyGsRHST0eKvKmSj1';
const YESCRYPT = '$y$j9T$JFU9HmHHr4cbUbtJFFH8u/$m2eCrjhKg9JIVlRN/KjA9r7fKJNmQuRVjOjoI.QuS.5';
const SCRAM_PARTS = [
  'h7pnyPtVgiie9ZF8QNcywA==',
  'bDnEDq0VS7ahn0RSdtro8nqjJdeVggG8LaWdzzN5znE=',
  'QPOWBdtJTIsmC+zK2FmGf+U4TJSG7jFN7bzk8YqLYBM=',
] as const;
const MD5_HEX = '098f6bcd4621d373cade4e832627b4f6';

describe('parseSecret on a locked or empty field', () => {
  it.each(['', 'x', '!', '!!', '*', '*0', '*1', '*LK*', `!${SHA512_CRYPT}`, `*${BCRYPT}`, '!{SSHA}', '{CRYPT}!'])(
    'returns the kind none for %j',
    (text) => {
      expect(parseSecret(text)).toEqual({ kind: 'none' });
    },
  );

  it.each(['{PLAIN}', '{CRYPT}', '{CRYPT}*0', '{CLEAR.b64}'])('returns the kind none for %j', (text) => {
    expect(parseSecret(text).kind).toBe('none');
  });

  it('refuses a hash of MySQL, which begins with an asterisk', () => {
    expect(codeOf(`*${'94BDCEBE19083CE2A1F959FD02F964C7AF4CFC29'}`)).toBe('unknown-scheme');
  });
});

describe('parseSecret on a password in clear text', () => {
  it.each([
    ['{PLAIN}test', 'test'],
    ['{clear}test', 'test'],
    ['{CLEARTEXT}{PLAIN}x', '{PLAIN}x'],
    ['{PLAIN}!', '!'],
    ['{PLAIN}na\u00efve', 'na\u00efve'],
    ['{PLAIN.b64}dGVzdA==', 'test'],
    ['{plain.BASE64}dGVzdA==', 'test'],
    ['{PLAIN.hex}74657374', 'test'],
    ['{PLAIN-TRUNC}10-test', 'test'],
  ])('reads %s', (text, password) => {
    expect(parseSecret(text)).toMatchObject({ kind: 'clear', password });
  });

  it.each([
    'test',
    'correct horse battery staple',
    'PLAIN}test',
    '{test',
    '{PLAN}test',
    '$test',
    '{}test',
    'DKufQhix3D7ZwGVMeWrlC2Tk',
    'md5098f6bcd4621d373cade4e832627b4f6',
  ])('refuses %j without a prefix', (text) => {
    expect(codeOf(text)).toBe('unknown-scheme');
  });

  it.each([
    '{PLAIN}a\0b',
    `{PLAIN}${'a'.repeat(4097)}`,
    '{PLAIN.hex}ff',
    '{PLAIN.b64}dGVzdA',
    '{PLAIN.hex}7465737',
    '{PLAIN.rot13}grfg',
    '{PLAIN.b64.hex}dGVzdA==',
    '{PLAIN-TRUNC}test',
    '{PLAIN-TRUNC}0-',
    '{PLAIN-TRUNC}2-test',
  ])('refuses %j as malformed', (text) => {
    expect(codeOf(text)).toBe('malformed-secret');
  });

  it('keeps the password out of logs', () => {
    const secrets = ['{PLAIN}hunter2', `{CRAM-MD5}${MD5_HEX}${MD5_HEX}`, `{DIGEST-MD5}${MD5_HEX}`].map((text) =>
      parseSecret(text),
    );
    const shown = inspect(secrets, { showHidden: true, depth: 9 }) + JSON.stringify(secrets);
    expect(shown).not.toMatch(/hunter2|09 8f|98f6/);
  });

  it('compares only the first octets of a password that Dovecot has cut', async () => {
    const secret = hashOf('{PLAIN-TRUNC}4-test');
    expect(await compare(secret, 'test')).toBe(true);
    expect(await compare(secret, 'test and more')).toBe(true);
    expect(await compare(secret, 'tes')).toBe(false);
    expect(await compare(secret, 'tesT')).toBe(false);
  });
});

describe('parseSecret on an argon2 hash', () => {
  it.each([
    [ARGON2, 'argon2id'],
    [ARGON2.replace('argon2id', 'argon2i'), 'argon2i'],
    [ARGON2.replace('argon2id', 'argon2d'), 'argon2d'],
    [ARGON2.replace('m=64,t=1,p=1', 't=1,p=1,m=64'), 'argon2id'],
    [`{ARGON2I}${ARGON2}`, 'argon2id'],
    [`{argon2}${ARGON2}`, 'argon2id'],
    [ARGON2.replace('v=19$', ''), 'argon2id'],
    [ARGON2.replace('v=19', 'v=16'), 'argon2id'],
    [ARGON2.replace('m=64,t=1', 'm=1048576,t=4'), 'argon2id'],
    [ARGON2.replace('m=64,t=1,p=1', 'm=2040,t=1000,p=255'), 'argon2id'],
    ['$argon2id$v=19$m=102400,t=2,p=8$pdR6D2EsRQghZIwRAgDAmA$90f41ENoipDXYL8oR9jllA', 'argon2id'],
  ])('accepts %s', (text, scheme) => {
    expect(parseSecret(text)).toMatchObject({ kind: 'hash', scheme, work: { place: 'pool' } });
  });

  it('states the memory in octets', () => {
    expect(hashOf(ARGON2.replace('m=64', 'm=1048576')).work).toEqual({ place: 'pool', memory: 2 ** 30, heavy: true });
  });

  it.each([
    ['a version that does not exist', ARGON2.replace('v=19', 'v=18')],
    ['a version with a leading zero', ARGON2.replace('v=19', 'v=019')],
    ['a version after the parameters', ARGON2.replace('v=19$m=64,t=1,p=1', 'm=64,t=1,p=1$v=19')],
    ['a version among the parameters', ARGON2.replace('v=19$m=64', 'v=19,m=64')],
    ['no parameters', ARGON2.replace('m=64,t=1,p=1$', '')],
    ['a missing parameter', ARGON2.replace(',p=1', '')],
    ['a double parameter', ARGON2.replace('p=1', 'p=1,p=1')],
    ['an unknown parameter', ARGON2.replace('p=1', 'p=1,x=1')],
    ['a parameter named like a property', ARGON2.replace('p=1', 'p=1,constructor=1')],
    ['a keyid', ARGON2.replace('p=1', 'p=1,keyid=AA')],
    ['associated data', ARGON2.replace('p=1', 'p=1,data=AA')],
    ['a parameter without a value', ARGON2.replace('p=1', 'p')],
    ['an empty value', ARGON2.replace('p=1', 'p=')],
    ['a leading zero', ARGON2.replace('p=1', 'p=01')],
    ['a sign', ARGON2.replace('p=1', 'p=+1')],
    ['a fraction', ARGON2.replace('m=64', 'm=64.0')],
    ['an exponent', ARGON2.replace('m=64', 'm=6e1')],
    ['no lanes', ARGON2.replace('p=1', 'p=0')],
    ['no passes', ARGON2.replace('t=1', 't=0')],
    ['less memory than its lanes need', ARGON2.replace('p=1', 'p=9')],
    ['more than 1 GiB', ARGON2.replace('m=64', 'm=1048577')],
    ['a number of eleven digits', ARGON2.replace('m=64', 'm=10000000000')],
    ['5 passes over 1 GiB', ARGON2.replace('m=64,t=1', 'm=1048576,t=5')],
    ['padding', `${ARGON2}==`],
    ['a tail that is not canonical', ARGON2.replace(/A$/, 'B')],
    ['adapted base64', ARGON2.replace(HASH, 'aGFzaGhhc2hoYXNoaGFza.')],
    ['a character outside base64', ARGON2.replace(HASH, 'aGFzaGhhc2hoYX*oaGFzaA')],
    ['a line end', `${ARGON2}\n`],
    ['a salt of 7 octets', ARGON2.replace(SALT, 'c2FsdHNhbA')],
    ['a hash of 8 octets', ARGON2.replace(HASH, 'aGFzaGhhc2g')],
    ['no hash', ARGON2.replace(`$${HASH}`, '')],
    ['an empty hash', ARGON2.replace(HASH, '')],
    ['a further field', `${ARGON2}$AAAA`],
    ['an empty scheme name', '{ARGON2}'],
    ['another scheme in the braces', `{ARGON2}${BCRYPT}`],
  ])('refuses %s', (_what, text) => {
    expect(codeOf(text)).toBe('malformed-secret');
  });

  it('refuses a variant that does not exist', () => {
    expect(codeOf(ARGON2.replace('argon2id', 'argon2x'))).toBe('unknown-scheme');
  });
});

describe('parseSecret on an scrypt hash', () => {
  const SCRYPT = `$scrypt$ln=4,r=8,p=1$${SALT}$${HASH}`;

  it.each([
    [SCRYPT, 128 * 8 * 16],
    [SCRYPT.replace('ln=4,r=8,p=1', 'p=1,r=8,ln=4'), 128 * 8 * 16],
    [SCRYPT.replace('ln=4', 'ln=20'), 2 ** 30],
    [SCRYPT.replace('ln=4,r=8,p=1', 'ln=20,r=8,p=4'), 2 ** 30],
    [SCRYPT.replace('ln=4,r=8', 'ln=23,r=1'), 2 ** 30],
  ])('accepts %s', (text, memory) => {
    expect(hashOf(text)).toMatchObject({ scheme: 'scrypt', work: { place: 'pool', memory } });
  });

  it.each([
    ['2 GiB', SCRYPT.replace('ln=4', 'ln=21')],
    ['2 GiB by r', SCRYPT.replace('ln=4,r=8', 'ln=20,r=16')],
    ['5 GiB in turn', SCRYPT.replace('ln=4,r=8,p=1', 'ln=20,r=8,p=5')],
    ['a cost of 2^0', SCRYPT.replace('ln=4', 'ln=0')],
    ['no blocks', SCRYPT.replace('r=8', 'r=0')],
    ['no lanes', SCRYPT.replace('p=1', 'p=0')],
    ['a version', SCRYPT.replace('$ln', '$v=1$ln')],
    ['a double parameter', SCRYPT.replace('p=1', 'p=1,ln=4')],
    ['a missing parameter', SCRYPT.replace(',p=1', '')],
    ['a leading zero', SCRYPT.replace('ln=4', 'ln=04')],
    ['an empty salt', SCRYPT.replace(SALT, '')],
    ['padding', `${SCRYPT}==`],
  ])('refuses %s', (_what, text) => {
    expect(codeOf(text)).toBe('malformed-secret');
  });
});

describe('parseSecret on a PBKDF2 hash', () => {
  const SHA1 = 'COp8ByZIX55rzxJLn6G312CHoQY';
  const SHA256 = 'TvQm5EDN2J1M4wvTkJh7NRtvCo2v.d6l2C9Ayud45Gs';
  const PHC = `$pbkdf2-sha256$i=1000$${SALT}$${SHA256.replace('.', '+')}`;
  const PASSLIB = `$pbkdf2-sha256$29000$YYzxHuNcK4VQqpWyVgrBmA$${SHA256}`;
  const DOVECOT = '{PBKDF2}$1$8zbXGO0j70LJLori$5000$8349a76b9f3aebccd9fff5beecaab5b9c788e606';

  it.each([
    [PHC, 'pbkdf2-sha256'],
    [PHC.replace('i=1000', 'l=32,i=1000'), 'pbkdf2-sha256'],
    [PHC.replace('i=1000', 'i=10000000'), 'pbkdf2-sha256'],
    [PASSLIB.replace('29000', '10000000'), 'pbkdf2-sha256'],
    [PASSLIB, 'pbkdf2-sha256'],
    [`$pbkdf2$131000$hBDCGOPcm1PKuXeulXIuRQ$${SHA1}`, 'pbkdf2-sha1'],
    [`$pbkdf2-sha1$131000$hBDCGOPcm1PKuXeulXIuRQ$${SHA1}`, 'pbkdf2-sha1'],
    [`{PBKDF2}10000$zSMAS6aH13NYg9pIu8/Hvw$${SHA1}`, 'pbkdf2-sha1'],
    [`{PBKDF2-SHA1}10000$zSMAS6aH13NYg9pIu8/Hvw$${SHA1}`, 'pbkdf2-sha1'],
    [`{pbkdf2-sha256}10000$zSMAS6aH13NYg9pIu8/Hvw$${SHA256}`, 'pbkdf2-sha256'],
    [DOVECOT, 'pbkdf2-sha1'],
  ])('accepts %s', (text, scheme) => {
    expect(hashOf(text)).toMatchObject({ scheme, work: { place: 'pool', memory: 0 } });
  });

  it.each([
    ['more than 10,000,000 rounds', PASSLIB.replace('29000', '10000001')],
    ['no rounds', PASSLIB.replace('29000', '0')],
    ['a leading zero', PASSLIB.replace('29000', '029000')],
    ['base64 of PHC strings', PASSLIB.replace(SHA256, SHA256.replace('.', '+'))],
    ['a digest that is cut', PASSLIB.replace(SHA256, SHA1)],
    ['a digest of another hash', `{PBKDF2}10000$zSMAS6aH13NYg9pIu8/Hvw$${SHA256}`],
    ['a further field', `${PASSLIB}$AAAA`],
    ['an empty salt', PASSLIB.replace('YYzxHuNcK4VQqpWyVgrBmA', '')],
    ['a missing salt', `$pbkdf2-sha256$29000$${SHA256}`],
    ['an unknown parameter', PHC.replace('i=1000', 'i=1000,x=1')],
    ['a length that is not that of the hash', PHC.replace('i=1000', 'i=1000,l=31')],
    ['a hash longer than the digest', PHC.replace(SHA256.replace('.', '+'), 'A'.repeat(44))],
    ['adapted base64 in a PHC string', PHC.replace('+', '.')],
    ['hexadecimal digits in a value of passlib', DOVECOT.replace('{PBKDF2}$1$', '{PBKDF2}1$')],
    ['another version of Dovecot', DOVECOT.replace('$1$', '$2$')],
    ['39 digits', DOVECOT.slice(0, -1)],
    ['38 digits', DOVECOT.slice(0, -2)],
    ['an empty salt of Dovecot', DOVECOT.replace('8zbXGO0j70LJLori', '')],
  ])('refuses %s', (_what, text) => {
    expect(codeOf(text)).toBe('malformed-secret');
  });

  it('refuses a digest that no program writes', () => {
    expect(codeOf(PASSLIB.replace('sha256', 'md5'))).toBe('unknown-scheme');
  });
});

describe('parseSecret on a bcrypt hash', () => {
  it.each([
    BCRYPT,
    BCRYPT.replace('$2b', '$2a'),
    BCRYPT.replace('$2b', '$2y'),
    BCRYPT.replace('12', '04'),
    BCRYPT.replace('12', '15'),
    `{CRYPT}${BCRYPT}`,
    `{blf-crypt}${BCRYPT}`,
  ])('accepts %s', (text) => {
    expect(hashOf(text)).toMatchObject({ scheme: 'bcrypt', work: { place: 'thread', memory: 0 } });
  });

  it.each([
    ['$2x$', BCRYPT.replace('$2b', '$2x')],
    ['$2$', BCRYPT.replace('$2b', '$2')],
    ['$2B$', BCRYPT.replace('$2b', '$2B')],
    ['a cost of 3', BCRYPT.replace('12', '03')],
    ['a cost of 16', BCRYPT.replace('12', '16')],
    ['a cost of 32', BCRYPT.replace('12', '32')],
    ['a cost of one digit', BCRYPT.replace('$12', '$6')],
    ['a cut hash', BCRYPT.slice(0, -1)],
    ['a further character', `${BCRYPT}a`],
    ['a line end', `${BCRYPT}\n`],
    ['a salt with unused bits', BCRYPT.replace('KYuY', 'KYvY')],
    ['a hash with unused bits', BCRYPT.replace(/2$/, '3')],
    ['a character outside its base64', BCRYPT.replace('Om3', 'Om+')],
    ['nothing else', '$2'],
  ])('refuses %s', (_what, text) => {
    expect(codeOf(text)).toBe('malformed-secret');
    expect(codeOf(text, { allowWeak: true, crypt: everyCrypt })).toBe('malformed-secret');
  });
});

describe('parseSecret on a hash of SHA-crypt or MD5-crypt', () => {
  it.each([
    [SHA256_CRYPT, 'sha256-crypt'],
    [SHA512_CRYPT, 'sha512-crypt'],
    [SHA512_CRYPT.replace('$6$', '$6$rounds=656000$'), 'sha512-crypt'],
    [SHA512_CRYPT.replace('$6$', '$6$rounds=1000000$'), 'sha512-crypt'],
    [SHA512_CRYPT.replace('$6$', '$6$rounds=1000$'), 'sha512-crypt'],
    [SHA512_CRYPT.replace('PrADFArp.MOCbUi3', ''), 'sha512-crypt'],
    [`{SHA512-CRYPT}${SHA256_CRYPT}`, 'sha256-crypt'],
    [`{crypt}${SHA512_CRYPT}`, 'sha512-crypt'],
    [APR1, 'apr1'],
    [`{APR1}${APR1}`, 'apr1'],
    ['{APR1}n/aN0RFKnkmuibju1QOJfjV0bjNUUC9G', 'apr1'],
  ])('accepts %s', (text, scheme) => {
    expect(hashOf(text)).toMatchObject({ scheme, work: { place: 'thread', memory: 0 } });
  });

  it.each([
    ['999 rounds', SHA512_CRYPT.replace('$6$', '$6$rounds=999$')],
    ['1,000,001 rounds', SHA512_CRYPT.replace('$6$', '$6$rounds=1000001$')],
    ['rounds with a leading zero', SHA512_CRYPT.replace('$6$', '$6$rounds=05000$')],
    ['rounds without a number', SHA512_CRYPT.replace('$6$', '$6$rounds=$')],
    ['rounds twice', SHA512_CRYPT.replace('$6$', '$6$rounds=5000$rounds=5000$')],
    ['a salt of 17 characters', SHA512_CRYPT.replace('PrADFArp', 'PrADFArpX')],
    ['a salt that no passwd file can hold', SHA512_CRYPT.replace('PrADFArp', 'PrAD:Arp')],
    ['a salt with a blank', SHA512_CRYPT.replace('PrADFArp', 'PrAD Arp')],
    ['a salt beyond ASCII', SHA512_CRYPT.replace('PrADFArp', 'PrAD\u00e4Arp')],
    ['a cut hash', SHA512_CRYPT.slice(0, -1)],
    ['unused bits of SHA-512', SHA512_CRYPT.replace(/0$/, '2')],
    ['unused bits of SHA-256', SHA256_CRYPT.replace(/6$/, 'E')],
    ['a setting alone', '$5$SdXdBKIZ.yIhJVwq'],
    ['a further field', `${SHA512_CRYPT}$`],
    ['a salt of 9 characters', APR1.replace('WE1CUn7q', 'WE1CUn7qq')],
    ['a hash of 21 characters', APR1.slice(0, -1)],
    ['a character of MD5-crypt with unused bits', APR1.replace(/1$/, '2')],
    ['a further field of MD5-crypt', `${APR1}$`],
    [
      '16 octets and a salt with a $',
      `{APR1}${Buffer.concat([Buffer.alloc(16), Buffer.from('a$b')]).toString('base64')}`,
    ],
    ['16 octets and a salt of 9', `{APR1}${Buffer.alloc(25, 'a').toString('base64')}`],
  ])('refuses %s', (_what, text) => {
    expect(codeOf(text)).toBe('malformed-secret');
  });
});

describe('parseSecret on a digest', () => {
  const SHA1 = Buffer.from('a94a8fe5ccb19ba61c4c0873d391e987982fbbd3', 'hex');

  it.each([
    ['{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M=', 'sha'],
    ['{sha1}qUqP5cyxm6YcTAhz05Hph5gvu9M=', 'sha'],
    [`{SHA}${SHA1.toString('hex')}`, 'sha'],
    [`{SHA.HEX}${SHA1.toString('hex').toUpperCase()}`, 'sha'],
    ['{SHA256}n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg=', 'sha256'],
    ['{SHA384}doQSMg97CqWBL85CjcRwazyuUOAqZMqhangiSb/o78S37xzLEmJV0ZYEff7fF6Cp', 'sha384'],
    ['{SHA512}7iaw3Ur350mqGo7jwQrpkj9hiYB3Lkc/iBml1JQODbJ6wYX4oOHV+E+IvIh/1nsUNzLDBMxfqa2Ob1f1ACio/w==', 'sha512'],
    ['{SSHA}WAcFnvy/tx3k/YzAmliYv2Z8D3yuYast', 'ssha'],
    ['{ssha.hex}d4013e5caced29d61503e412aaad1a2d3233449b9938948b', 'ssha'],
    ['{SSHA256}kN445NiD4GeE5VYo8utkR4ChCCShQvRo9r/4cxD+AjV7Du00', 'ssha256'],
    ['{SSHA384}KPGrWAeUUYrMKepcBbTEWYxmfjeRTUFzD/rmSfik9JpZiJdMAto+ziRmeR2l9pbfUIuRT7Q4R70=', 'ssha384'],
    [
      '{SSHA512}cPVSeQpII4rDT2gPmE7T3vhcdzUzkRFroDip3XKsnFRhneVJ3vqcTQY1S4Arc6cznOkubX5ED1glv4EDbakO8n3QG1k=',
      'ssha512',
    ],
    ['{SMD5}Uh2hOGTsbX3JW/J+fXDCeQFmyeA=', 'smd5'],
    ['{MD5}CY9rzUYh03PK3k6DJie09g==', 'md5'],
    [`{MD5}${MD5_HEX}`, 'md5'],
    ['{LDAP-MD5}CY9rzUYh03PK3k6DJie09g==', 'md5'],
    [`{PLAIN-MD5}${MD5_HEX}`, 'md5'],
    ['{PLAIN-MD4}db346d691d7acc4dc2625db19f9e3f52', 'md4'],
  ])('compares %s', async (text, scheme) => {
    const secret = hashOf(text, { allowWeak: true });
    expect(secret).toMatchObject({ scheme, work: { place: 'here', memory: 0 } });
    expect(await compare(secret, 'test')).toBe(true);
    expect(await compare(secret, 'tesT')).toBe(false);
    expect(await compare(secret, 'test ')).toBe(false);
  });

  it.each([
    ['no value', '{SHA}'],
    ['base64 without padding', '{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M'],
    ['a digest that is too short', '{SHA}qUqP5cyxm6YcTAhz05Hph5gvuw=='],
    ['a digest that is too long', '{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9PTAA=='],
    ['hexadecimal digits as base64', `{SHA.b64}${SHA1.toString('hex')}`],
    ['base64 as hexadecimal digits', '{SHA.hex}qUqP5cyxm6YcTAhz05Hph5gvu9M='],
    ['less than a digest before the salt', '{SSHA}qUqP5cyxm6YcTAhz05Hph5gv'],
    ['an unknown encoding', '{SHA.b32}VFFI7ZOMWGN2MHCMBBZ5HEPJQ6MC7O6T'],
  ])('refuses %s', (_what, text) => {
    expect(codeOf(text)).toBe('malformed-secret');
  });
});

describe('parseSecret on a SCRAM record', () => {
  const [salt, stored, server] = SCRAM_PARTS;

  it.each([
    `SCRAM-SHA-256$4096:${salt}$${stored}:${server}`,
    ` SCRAM-SHA-256 $ 4096:${salt} $ ${stored}:${server}`,
    `{SCRAM-SHA-256}4096,${salt},${stored},${server}`,
    `{scram-sha-256}65536,${salt},${stored},${server}`,
    `{SCRAM-SHA-256.b64}${Buffer.from(`4096,${salt},${stored},${server}`).toString('base64')}`,
    `SCRAM-SHA-256$10000000:${salt}$${stored}:${server}`,
  ])('accepts %s', (text) => {
    const secret = parseSecret(text);
    if (secret.kind !== 'scram') throw new Error(secret.kind);
    expect(secret.secret).toBeInstanceOf(ScramSecret);
    expect(secret.secret.encodedSalt).toBe(salt);
  });

  it.each([
    ['less than 4,096 iterations', `SCRAM-SHA-256$4095:${salt}$${stored}:${server}`],
    ['less than 4,096 iterations in commas', `{SCRAM-SHA-256}4095,${salt},${stored},${server}`],
    ['more than 10,000,000 iterations', `SCRAM-SHA-256$10000001:${salt}$${stored}:${server}`],
    ['a leading zero', `SCRAM-SHA-256$04096:${salt}$${stored}:${server}`],
    ['a fifth field, as gsasl --verbose writes it', `{SCRAM-SHA-256}4096,${salt},${stored},${server},4db1f039e0`],
    ['an empty fifth field', `{SCRAM-SHA-256}4096,${salt},${stored},${server},`],
    ['a hash that does not exist', `SCRAM-SHA-257$4096:${salt}$${stored}:${server}`],
    ['a key of another length', `SCRAM-SHA-1$4096:${salt}$${stored}:${server}`],
    ['the form of PostgreSQL behind braces', `{SCRAM-SHA-256}4096:${salt}$${stored}:${server}`],
    ['the form of Dovecot without braces', `SCRAM-SHA-2564096,${salt},${stored},${server}`],
  ])('refuses %s', (_what, text) => {
    expect(codeOf(text)).toBe('malformed-secret');
  });
});

describe('parseSecret on a key of CRAM-MD5 or DIGEST-MD5', () => {
  const contexts = Buffer.alloc(32, 0xab);

  it.each([`{CRAM-MD5}${contexts.toString('hex')}`, `{cram-md5}${contexts.toString('base64')}`])(
    'accepts %s',
    (text) => {
      expect(parseSecret(text)).toMatchObject({ kind: 'cram-md5', contexts });
    },
  );

  it('accepts the name HMAC-MD5 where weak schemes are allowed', () => {
    expect(parseSecret(`{HMAC-MD5}${contexts.toString('hex')}`, { allowWeak: true }).kind).toBe('cram-md5');
  });

  it('accepts DIGEST-MD5', () => {
    expect(parseSecret(`{DIGEST-MD5}${MD5_HEX}`)).toMatchObject({
      kind: 'digest-md5',
      digest: Buffer.from(MD5_HEX, 'hex'),
    });
  });

  it.each([`{CRAM-MD5}${MD5_HEX}`, `{DIGEST-MD5}${MD5_HEX}00`, '{CRAM-MD5}', `{DIGEST-MD5.b64}${MD5_HEX}`])(
    'refuses %s',
    (text) => {
      expect(codeOf(text)).toBe('malformed-secret');
    },
  );
});

describe('parseSecret on a weak scheme', () => {
  it.each([
    MD5_CRYPT,
    `{CRYPT}${MD5_CRYPT}`,
    `{MD5-CRYPT}${MD5_CRYPT}`,
    `{SHA512-CRYPT}${MD5_CRYPT}`,
    `{MD5}${MD5_CRYPT}`,
    `{MD5}${MD5_HEX}`,
    '{SMD5}Uh2hOGTsbX3JW/J+fXDCeQFmyeA=',
    `{LDAP-MD5}${MD5_HEX}`,
    `{PLAIN-MD5}${MD5_HEX}`,
    `{PLAIN-MD4}${MD5_HEX}`,
    `{HMAC-MD5}${MD5_HEX}${MD5_HEX}`,
    '{BSDMD5}c5fLDjv+lmBaD0br1f2p7HI3M1pRS2ZC',
    'mzPPv.7sAeIRc',
    '{CRYPT}mzPPv.7sAeIRc',
    '{DES-CRYPT}mzPPv.7sAeIRc',
    '{CRYPT}DKufQhix3D7ZwGVMeWrlC2Tk',
    '_J9..aaq36R4BuqYVv.U',
    '$3$$0cb6948805f797bf2a82807973b89537',
  ])('refuses %s unless weak schemes are allowed', (text) => {
    expect(codeOf(text)).toBe('weak-scheme');
    expect(codeOf(text, { crypt: everyCrypt })).toBe('weak-scheme');
    expect(parseSecret(text, { allowWeak: true, crypt: everyCrypt }).kind).not.toBe('none');
  });
});

describe('parseSecret on a hash that only libcrypt computes', () => {
  it.each([
    YESCRYPT,
    `{CRYPT}${YESCRYPT}`,
    '$gy$j9T$pAOlVophlckPtmv0bC.AQ1$nlQ1IOmaf1XjOjvOuGl81zZs4sz2a9aWjivbLd.txo1',
    '$7$CU..../....Ffh0.ZvRPQCjnxO6DXQUu.$Wwrsyk8vLJfocCMMPqsadOUzK.QwzutpW3rGbH2Jtm2',
    '$md5,rounds=73880$QuMZ5SZt$$JI2/jTccDP/Gl8roMjvAr.',
    '$md5$rounds=73880$QuMZ5SZt$$JI2/jTccDP/Gl8roMjvAr.',
    '$sha1$24680$salt$hashhashhashhashhashhashhash',
  ])('needs the adapter for %s', async (text) => {
    expect(codeOf(text)).toBe('unavailable-scheme');
    expect(() => parseSecret(text)).toThrow('@postern/crypt');
    const secret = hashOf(text, { crypt: everyCrypt });
    expect(secret.work).toEqual({ place: 'pool', memory: 4096 });
    expect(await compare(secret, 'test')).toBe(true);
    expect(await compare(secret, 'tesT')).toBe(false);
  });

  it('needs the adapter for DES where weak schemes are allowed', () => {
    expect(codeOf('mzPPv.7sAeIRc', { allowWeak: true })).toBe('unavailable-scheme');
  });

  it('asks the adapter about a scheme of the future', () => {
    expect(hashOf('$zz$new$scheme', { crypt: everyCrypt }).scheme).toBe('crypt');
    expect(codeOf('$zz$new$scheme')).toBe('unknown-scheme');
  });

  it('refuses a hash that libcrypt does not know', () => {
    expect(codeOf(YESCRYPT, { crypt: { ...everyCrypt, work: () => undefined } })).toBe('unavailable-scheme');
  });

  it('never asks the adapter about text that no passwd file can hold', () => {
    expect(codeOf('$y$j9T$a b$c', { crypt: everyCrypt })).toBe('malformed-secret');
    expect(codeOf('$y$j9T$a\nb$c', { crypt: everyCrypt })).toBe('malformed-secret');
    expect(codeOf('$y$j9T$\u00e4$c', { crypt: everyCrypt })).toBe('malformed-secret');
  });

  it('reports a setting that libcrypt refuses as malformed', async () => {
    const secret = hashOf(YESCRYPT, { crypt: { ...everyCrypt, hash: async () => undefined } });
    await expect(compare(secret, 'test')).rejects.toMatchObject({ code: 'malformed-secret' });
  });
});

describe('parseSecret on a scheme of another program', () => {
  it.each([
    ['{SASL}joe@example.org', '{SASL}'],
    ['$P$B55D6LjfHDkINU5wF.v2BuuzO0/XPk/', 'phpass'],
    ['pbkdf2_sha256$260000$salt$aGFzaA==', 'Django'],
    ['pbkdf2:sha256:150000$salt$aGFzaA', 'Werkzeug'],
    ['$bcrypt-sha256$v=2,t=2b,r=12$MXJe2c44DjxlpMKiwpATEe$ZIy8lUH5OntBm9uKTCLbLRWPQKstBwS', 'passlib'],
  ])('names the program of %s', (text, name) => {
    expect(codeOf(text)).toBe('unknown-scheme');
    expect(() => parseSecret(text)).toThrow(name);
    const crypt = { ...everyCrypt, work: () => undefined };
    expect(() => parseSecret(text, { crypt })).toThrow(name);
  });
});

describe('parseSecret on any text', () => {
  const words =
    '{ } $ , = : . - ! * x 1 19 2b 0 999999999999 PLAIN CRYPT SSHA ARGON2 PBKDF2 SCRAM-SHA-256 b64 hex constructor __proto__ ' +
    '$argon2id$ v=19$ m=64,t=1,p=1$ $scrypt$ ln=4 $pbkdf2-sha256$ $5$ $6$ rounds= $1$ $apr1$ $y$';
  const secrets = [SALT, HASH, MD5_HEX, BCRYPT, SHA512_HASH, ...SCRAM_PARTS];
  const pieces = fc.constantFrom(...words.split(' '), ' ', '\0', '\n', ...secrets);
  const anyText = fc.oneof(
    fc.string({ unit: anyCharacter, maxLength: 60 }),
    fc.array(pieces, { maxLength: 12 }).map((parts) => parts.join('')),
    fc
      .tuple(fc.constantFrom(ARGON2, BCRYPT, SHA512_CRYPT, APR1), fc.nat(100), fc.string({ maxLength: 2 }))
      .map(([text, index, change]) => text.slice(0, index) + change + text.slice(index + 1)),
  );

  it('throws nothing but a SecretError', () => {
    fc.assert(
      fc.property(anyText, fc.boolean(), fc.boolean(), (text, allowWeak, withCrypt) => {
        const options = { allowWeak, ...(withCrypt && { crypt: everyCrypt }) };
        try {
          parseSecret(text, options);
        } catch (error) {
          expect(error).toBeInstanceOf(SecretError);
        }
      }),
      { numRuns: runs(3000) },
    );
  });

  it('returns clear text only after a prefix', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        if (kindOf(text) === 'clear')
          expect(text).toMatch(/^\{(?:plain|clear|cleartext|plain-trunc)(?:\.(?:b64|base64|hex))?\}/i);
      }),
      { numRuns: runs(3000) },
    );
  });

  it('prints no unknown text that may be a password', () => {
    fc.assert(
      fc.property(
        fc.stringMatching(/^[a-z]{12,20}$/),
        fc.constantFrom('', '{', '$', '$5$', '$2', '{X}', '$argon2id$', '{SHA}', '$y$'),
        (text, prefix) => {
          try {
            parseSecret(prefix + text);
          } catch (error) {
            expect((error as Error).message).not.toContain(text);
            expect((error as Error).message).not.toContain(text.toUpperCase());
          }
        },
      ),
    );
  });

  it.each([
    '{',
    '{PLAIN',
    '$',
    '$argon2id$',
    '$argon2id$v=19$m',
    '$5$',
    '$5$rounds=',
    'SCRAM-',
    ' ',
    'SCRAM-SHA-256$4096:',
    '{SCRAM-SHA-256}',
    '$1$',
    '_',
    '0',
    ',',
    '=',
  ])('refuses more than 9,000 characters that begin with %j', (piece) => {
    for (const text of [piece.repeat(4_000_000 / piece.length), piece + 'A'.repeat(9000), piece + '$'.repeat(9000)]) {
      expect(codeOf(text)).toBe('malformed-secret');
    }
  });
});

/** A libcrypt that knows every setting, and for which the password is `test`. */
const everyCrypt: Crypt = {
  work: () => ({ place: 'pool', memory: 4096 }),
  hash: (password, setting) => threadsFor('test').crypt(password, setting),
};

type Options = Parameters<typeof parseSecret>[1];

function codeOf(text: string, options?: Options): string | undefined {
  try {
    parseSecret(text, options);
    return undefined;
  } catch (error) {
    if (!(error instanceof SecretError)) throw error;
    return error.code;
  }
}

function kindOf(text: string): Secret['kind'] | undefined {
  try {
    return parseSecret(text).kind;
  } catch {
    return undefined;
  }
}

function hashOf(text: string, options?: Options) {
  const secret = parseSecret(text, options);
  if (secret.kind !== 'hash') throw new Error(`expected a hash, not ${secret.kind}`);
  return secret;
}

function compare(secret: Extract<Secret, { kind: 'hash' }>, password: string) {
  return secret.compare(Buffer.from(password), threadsFor('test'));
}
