import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import { inspect } from 'node:util';
import { DEFAULT_ITERATIONS, type ScramHash, type ScramRecordForm, ScramSecret } from '@postern/sasl';
import { describe, expect, it } from 'vitest';
import { xor } from '../../../packages/sasl/src/scram/hmac.ts';

const RFC_7677 =
  'SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=';
const DOVECOT =
  '{SCRAM-SHA-256}4096,W22ZaJ0SNY7soEsUEjb6gQ==,WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=,wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=';
const RFC_5802 = 'SCRAM-SHA-1$4096:QSXCR+Q6sek8bf92$6dlGYMOdZcOPutkcNY8U2g7vK9Y=:D+CSWLOshSulAsxiupA+qs2/fTE=';

const HASHES: readonly ScramHash[] = ['sha1', 'sha224', 'sha256', 'sha384', 'sha512', 'sha3-512'];
const FORMS: readonly ScramRecordForm[] = ['rfc5803', 'postgresql', 'dovecot'];

function parsed(record: string): ScramSecret {
  const secret = ScramSecret.parse(record);
  expect(secret).toBeDefined();
  return secret as ScramSecret;
}

describe('ScramSecret', () => {
  it.each([
    ['rfc5803', RFC_7677],
    ['postgresql', RFC_7677],
    ['dovecot', DOVECOT],
    ['rfc5803', RFC_5802],
  ] as const)('reads and writes the form %s', (form, record) => {
    expect(parsed(record).format(form)).toBe(record);
  });

  it('reads one form and writes another', () => {
    expect(parsed(DOVECOT).format('postgresql')).toBe(RFC_7677);
    expect(parsed(RFC_7677).format('dovecot')).toBe(DOVECOT);
  });

  it('reads the spaces that RFC 3112 allows', () => {
    expect(parsed(` ${RFC_7677.replaceAll('$', ' $ ')} `).format('rfc5803')).toBe(RFC_7677);
  });

  describe.each(HASHES)('of %s', (hash) => {
    it.each(FORMS)('survives being written as %s', async (form) => {
      const secret = await ScramSecret.derive('pencil', { hash, iterations: 4096 });
      const copy = parsed(secret.format(form));
      expect(copy).not.toBe(secret);
      expect([copy.hash, copy.iterations, copy.salt]).toEqual([hash, 4096, secret.salt]);
      expect([copy.storedKey, copy.serverKey]).toEqual([secret.storedKey, secret.serverKey]);
    });

    it('has the keys of RFC 5802 §3', async () => {
      const secret = await ScramSecret.derive('pencil', { hash, iterations: 4096 });
      const salted = pbkdf2Sync('pencil', secret.salt, 4096, createHash(hash).digest().length, hash);
      const clientKey = createHmac(hash, salted).update('Client Key').digest();
      expect(Buffer.from(secret.storedKey)).toEqual(createHash(hash).update(clientKey).digest());
      expect(Buffer.from(secret.serverKey)).toEqual(createHmac(hash, salted).update('Server Key').digest());
    });

    it('signs a message only with a proof of the same message', async () => {
      const secret = await ScramSecret.derive('pencil', { hash, iterations: 4096 });
      const salted = pbkdf2Sync('pencil', secret.salt, 4096, createHash(hash).digest().length, hash);
      const clientKey = createHmac(hash, salted).update('Client Key').digest();
      const proofOver = (message: string): Buffer =>
        xor(createHmac(hash, secret.storedKey).update(message).digest(), clientKey);
      const authMessage = 'AuthMessage, in UTF-8: ü. '.repeat(8);
      const proof = proofOver(authMessage);
      const signature = createHmac(hash, secret.serverKey).update(authMessage).digest('base64');
      for (let n = 0; n < 2; n++) expect(secret.sign(proof, authMessage)).toBe(signature);
      expect(secret.sign(proof, authMessage.slice(1))).toBeUndefined();
      expect(secret.sign(proofOver(authMessage.slice(1)), authMessage)).toBeUndefined();
      expect(secret.sign(proof.subarray(1), authMessage)).toBeUndefined();
      expect(secret.sign(secret.storedKey, authMessage)).toBeUndefined();
      expect(secret.sign(new Uint8Array(), authMessage)).toBeUndefined();
    });

    it('verifies its password and no other', async () => {
      const secret = await ScramSecret.derive('pencil', { hash, iterations: 4096 });
      expect(await secret.verifyPassword('pencil')).toBe(true);
      expect(await secret.verifyPassword('pencil ')).toBe(false);
      expect(await secret.verifyPassword('')).toBe(false);
    });
  });

  it.each([
    ['nothing', ''],
    ['a password', 'pencil'],
    ['another scheme', '{SSHA}W22ZaJ0SNY7soEsUEjb6gQ=='],
    ['a hash that is not of the family', RFC_7677.replace('SHA-256', 'MD5')],
    ['the name with -PLUS', RFC_7677.replace('SHA-256', 'SHA-256-PLUS')],
    ['keys of another hash', RFC_7677.replace('SHA-256', 'SHA-1')],
    ['too few iterations', RFC_7677.replace('4096', '4095')],
    ['far too many iterations', RFC_7677.replace('4096', '10000001')],
    ['a leading zero', RFC_7677.replace('4096', '04096')],
    ['a negative iteration count', RFC_7677.replace('4096', '-4096')],
    ['a salt that is not base64', RFC_7677.replace('gQ==', 'gQ=')],
    ['an empty salt', RFC_7677.replace('W22ZaJ0SNY7soEsUEjb6gQ==', '')],
    ['a salt of a megabyte', RFC_7677.replace('W22ZaJ0SNY7soEsUEjb6gQ==', 'AAAA'.repeat(350_000))],
    ['a short key', RFC_7677.replace('l2dU=', 'l2Q==')],
    ['a key with unused bits', RFC_7677.replace('l2dU=', 'l2dV=')],
    ['a line break behind it', `${RFC_7677}\n`],
    ['something behind it', `${RFC_7677}:x`],
    ['a mix of two forms', DOVECOT.replace(',', ':')],
  ])('is not parsed from %s', (_what, record) => {
    expect(ScramSecret.parse(record)).toBeUndefined();
  });

  it('has 60,000 iterations and 16 random bytes of salt by default', async () => {
    const one = await ScramSecret.derive('pencil', { hash: 'sha256' });
    const other = await ScramSecret.derive('pencil', { hash: 'sha256' });
    expect(DEFAULT_ITERATIONS).toBe(60_000);
    expect(one.iterations).toBe(60_000);
    expect(one.salt).toHaveLength(16);
    expect(one.salt).not.toEqual(other.salt);
    expect(one.storedKey).not.toEqual(other.storedKey);
  });

  it('prepares the password in derive and verifyPassword', async () => {
    const secret = await ScramSecret.derive('\u2168', { hash: 'sha256', iterations: 4096 });
    expect(await secret.verifyPassword('IX')).toBe(true);
    expect(await secret.verifyPassword('I\u00adX')).toBe(true);
  });

  it.each([
    ['empty', ''],
    ['with a NUL', 'pen\0cil'],
    ['of more than 4,096 octets', 'x'.repeat(4097)],
    ['not well-formed', 'pencil\ud800'],
  ])('is not derived from a password that is %s', async (_what, password) => {
    await expect(ScramSecret.derive(password, { hash: 'sha256', iterations: 4096 })).rejects.toThrow(TypeError);
    expect(await parsed(RFC_7677).verifyPassword(password)).toBe(false);
  });

  it.each([
    ['of nothing once prepared', '\u00ad'],
    ['with a control character', 'pen\ncil'],
    ['with a character that Unicode 3.2 did not know', 'pencil\u0221'],
    ['that breaks the bidirectional rule', '\u05e9\u05dc\u05d5\u05dd123'],
  ])('is derived from the octets of a password %s, as in PostgreSQL', async (_what, password) => {
    const secret = await ScramSecret.derive(password, { hash: 'sha256', iterations: 4096 });
    expect(await secret.verifyPassword(password)).toBe(true);
    expect(await secret.verifyPassword('pencil')).toBe(false);
  });

  it('verifies the octets of a password that another server did not prepare', async () => {
    const salt = Buffer.from('0123456789abcdef');
    // SASLprep deletes a soft hyphen, and PBKDF2 here runs over the raw octets.
    const clientKey = createHmac('sha256', pbkdf2Sync('I\u00adX', salt, 4096, 32, 'sha256'))
      .update('Client Key')
      .digest();
    const storedKey = createHash('sha256').update(clientKey).digest();
    const secret = new ScramSecret({ hash: 'sha256', salt, iterations: 4096, storedKey, serverKey: storedKey });
    expect(await secret.verifyPassword('I\u00adX')).toBe(true);
    expect(await secret.verifyPassword('IX')).toBe(false);
  });

  it('verifies no text that cannot be a password', async () => {
    const secret = await ScramSecret.derive('none', { hash: 'sha256', iterations: 4096 });
    expect(await secret.verifyPassword('none')).toBe(true);
    for (const password of ['', 'none\0', 'none\ud800']) expect(await secret.verifyPassword(password)).toBe(false);
  });

  it.each([0, 1, 4095, 4096.5, -1, Number.NaN, Number.POSITIVE_INFINITY, 10_000_001])(
    'is not derived with %d iterations',
    async (iterations) => {
      await expect(ScramSecret.derive('pencil', { hash: 'sha256', iterations })).rejects.toThrow(RangeError);
    },
  );

  it('is not derived without salt', async () => {
    const derivation = { hash: 'sha256', iterations: 4096, salt: new Uint8Array() } as const;
    await expect(ScramSecret.derive('pencil', derivation)).rejects.toThrow(RangeError);
  });

  it('copies the arrays of its constructor', () => {
    const salt = new Uint8Array(16);
    const storedKey = new Uint8Array(32);
    const secret = new ScramSecret({ hash: 'sha256', salt, iterations: 4096, storedKey, serverKey: storedKey });
    salt.fill(1);
    storedKey.fill(1);
    secret.storedKey.fill(1);
    expect(secret.salt[0]).toBe(0);
    expect(secret.storedKey[0]).toBe(0);
  });

  it('shows no key to a log', () => {
    const secret = parsed(RFC_7677);
    const shown = [
      inspect(secret, { showHidden: true, getters: true, depth: Number.POSITIVE_INFINITY }),
      JSON.stringify({ secret }),
    ].join('\n');
    expect(shown).toContain('4096');
    for (const key of [secret.storedKey, secret.serverKey]) {
      expect(shown).not.toContain(Buffer.from(key).toString('base64'));
      expect(shown).not.toContain(Buffer.from(key).toString('hex').slice(0, 4));
      expect(shown).not.toContain(Array.from(key.subarray(0, 3)).join(','));
      expect(shown).not.toContain(Array.from(key.subarray(0, 3)).join(', '));
    }
  });
});
