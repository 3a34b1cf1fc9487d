import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import { inspect } from 'node:util';
import { PasswordProof, TemporaryFailure, UnauthorizedLogin } from '@postern/cred';
import {
  ExchangeCancelled,
  encodeUtf8,
  MalformedResponse,
  SCRAM_HASHES,
  ScramCredentials,
  type ScramHash,
  ScramSecret,
  scram,
} from '@postern/sasl';
import { describe, expect, it } from 'vitest';
import { initially, scripted, someMind } from '../exchange.ts';

const HASHES = Object.keys(SCRAM_HASHES) as ScramHash[];

/** The example of RFC 7677 §3. */
const RECORD =
  'SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=';
const SECRET = ScramSecret.parse(RECORD) as ScramSecret;
const FIRST = 'n,,n=user,r=rOprNGfwEbeRWgbNEkqO';
const NONCE = 'rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0';
const PROOF = 'dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=';
const FINAL = `c=biws,r=${NONCE},p=${PROOF}`;

const challenger = scram({ hash: 'sha256', nonce: () => '%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0' });

/**
 * Returns the credentials after a client-first-message, whose client then sends these responses.
 */
async function credentialsOf(first: string | undefined, ...answers: readonly (string | Uint8Array)[]) {
  const ask = scripted(...answers);
  const credentials = await challenger.challenge(ask, first === undefined ? undefined : encodeUtf8(first), someMind());
  return { ask, credentials };
}

/** Computes the proof of RFC 5802 §3, step by step. */
function proofOf(password: string, authMessage: string): string {
  const salted = pbkdf2Sync(password, SECRET.salt, SECRET.iterations, 32, 'sha256');
  const clientKey = createHmac('sha256', salted).update('Client Key').digest();
  const storedKey = createHash('sha256').update(clientKey).digest();
  const signature = createHmac('sha256', storedKey).update(authMessage).digest();
  return Buffer.from(clientKey.map((byte, n) => byte ^ (signature[n] as number))).toString('base64');
}

describe('the SCRAM challenger', () => {
  it.each([
    ['sha1', 'SCRAM-SHA-1'],
    ['sha224', 'SCRAM-SHA-224'],
    ['sha256', 'SCRAM-SHA-256'],
    ['sha384', 'SCRAM-SHA-384'],
    ['sha512', 'SCRAM-SHA-512'],
    ['sha3-512', 'SCRAM-SHA3-512'],
  ] as const)('of %s has the name %s', (hash, mechanism) => {
    expect(scram({ hash }).mechanism).toBe(mechanism);
    expect(scram({ hash, plus: true }).mechanism).toBe(`${mechanism}-PLUS`);
  });

  it('has a credentials class for each hash, which extends PasswordProof', async () => {
    const classes = HASHES.map((hash) => scram({ hash }).credentials);
    expect(new Set(classes).size).toBe(HASHES.length);
    for (const hash of HASHES) {
      const one = scram({ hash });
      const credentials = await initially(one, FIRST);
      expect(credentials).toBeInstanceOf(one.credentials);
      expect(credentials).toBeInstanceOf(ScramCredentials);
      expect(credentials).toBeInstanceOf(PasswordProof);
      expect(credentials.hash).toBe(hash);
    }
  });

  it('sends an empty challenge if there is no initial response', async () => {
    const { ask, credentials } = await credentialsOf(undefined, FIRST, FINAL);
    expect(await credentials.verify(SECRET)).toBe(true);
    expect(ask.asked[0]).toBe('');
  });

  it('appends a new nonce to the client’s', async () => {
    const nonces = new Set<string>();
    const one = scram({ hash: 'sha256' });
    for (let n = 0; n < 300; n++) {
      const ask = scripted(FINAL);
      await (await one.challenge(ask, encodeUtf8(FIRST), someMind())).verify(SECRET);
      const [, nonce] = /^r=rOprNGfwEbeRWgbNEkqO([!-+\--~]{24}),/.exec(ask.asked[0] as string) ?? [];
      expect(nonce).toBeDefined();
      nonces.add(nonce as string);
    }
    expect(nonces.size).toBe(300);
  });

  it('prepares the identities', async () => {
    const first = 'n,a=\u2168=2C,n=\u00aa=3D\u00ad,r=rOprNGfwEbeRWgbNEkqO';
    const { credentials } = await credentialsOf(first);
    expect([credentials.username, credentials.authzid]).toEqual(['a=', 'IX,']);
  });

  it('omits an authorization identity that is the user', async () => {
    const { credentials } = await credentialsOf('n,a=user,n=user,r=rOprNGfwEbeRWgbNEkqO');
    expect(credentials.authzid).toBeUndefined();
  });

  it.each([
    ['is empty', ''],
    ['is no SCRAM message', 'user'],
    ['has an unescaped =', 'n,,n=us=er,r=rOprNGfwEbeRWgbNEkqO'],
    ['has a mandatory extension', 'n,,m=x,n=user,r=rOprNGfwEbeRWgbNEkqO'],
  ])('refuses a first message that %s', async (_what, first) => {
    await expect(initially(challenger, first)).rejects.toThrow(MalformedResponse);
  });

  it.each([
    ['has a user name that comes to nothing', 'n,,n=\u00ad,r=rOprNGfwEbeRWgbNEkqO'],
    ['has a user name with a control character', 'n,,n=us\x07er,r=rOprNGfwEbeRWgbNEkqO'],
    ['has a user name that mixes directions', 'n,,n=\u06271,r=rOprNGfwEbeRWgbNEkqO'],
    ['has an authorization identity that SASLprep refuses', 'n,a=a\x07,n=user,r=rOprNGfwEbeRWgbNEkqO'],
    ['has a user name of 1025 characters', `n,,n=${'u'.repeat(1025)},r=rOprNGfwEbeRWgbNEkqO`],
  ])('refuses a first message that %s like a wrong password', async (_what, first) => {
    await expect(initially(challenger, first)).rejects.toThrow(UnauthorizedLogin);
  });
});

describe('ScramCredentials', () => {
  it('verify once', async () => {
    const { ask, credentials } = await credentialsOf(FIRST, FINAL);
    const [first, second] = await Promise.all([credentials.verify(SECRET), credentials.verify(SECRET)]);
    expect([first, second]).toEqual([true, false]);
    expect(await credentials.verify(SECRET)).toBe(false);
    expect(await credentials.checkPassword('pencil')).toBe(false);
    expect(ask.asked).toHaveLength(1);
  });

  it('sign only after a right proof', async () => {
    const { ask, credentials } = await credentialsOf(FIRST, FINAL.replace('p=d', 'p=e'));
    expect(await credentials.verify(SECRET)).toBe(false);
    await expect(credentials.accepted()).rejects.toThrow(TemporaryFailure);
    expect(ask.asked).toHaveLength(1);
  });

  it('reject a secret of another hash', async () => {
    const sha1 = await ScramSecret.derive('pencil', { hash: 'sha1', iterations: 4096 });
    const { ask, credentials } = await credentialsOf(FIRST, FINAL);
    await expect(credentials.verify(sha1)).rejects.toThrow(TypeError);
    expect(ask.asked).toEqual([]);
    expect(await credentials.verify(SECRET)).toBe(true);
  });

  it.each([
    ['another nonce', FINAL.replace('$k0', '$k1')],
    ['the client’s nonce alone', FINAL.replace(NONCE, 'rOprNGfwEbeRWgbNEkqO')],
    ['a nonce with something behind it', FINAL.replace(NONCE, `${NONCE}0`)],
    ['another gs2-header', FINAL.replace('biws', 'eSws')],
    ['a gs2-header with channel binding data', FINAL.replace('biws', 'biwsAQID')],
    ['another proof', FINAL.replace('p=d', 'p=e')],
    ['a proof that is too short', FINAL.replace(PROOF, 'AAAA')],
    ['a proof with something before it', FINAL.replace(PROOF, `AAAA${PROOF}`)],
    ['the right proof with something behind it', FINAL.replace('AndVQ=', 'AndVQA')],
    ['the right proof cut short', FINAL.replace('AndVQ=', 'AndQ==')],
    ['the proof of a message without the extension it has', FINAL.replace(',p=', ',x=1,p=')],
  ])('reject %s', async (_what, final) => {
    const { ask, credentials } = await credentialsOf(FIRST, final);
    expect(await credentials.verify(SECRET)).toBe(false);
    await credentials.conclude();
    expect(ask.asked).toHaveLength(1);
  });

  it.each([
    ['another nonce', 'biws', NONCE.replace('$k0', '$k1')],
    ['the client’s nonce alone', 'biws', 'rOprNGfwEbeRWgbNEkqO'],
    ['another gs2-header', 'eSws', NONCE],
    ['a gs2-header with an authorization identity', Buffer.from('n,a=root,').toString('base64'), NONCE],
    ['the same gs2-header in other bits', 'biwt', NONCE],
  ])('reject %s, even if the proof covers it', async (_what, binding, nonce) => {
    const withoutProof = `c=${binding},r=${nonce}`;
    const proof = proofOf('pencil', `${FIRST.slice(3)},r=${NONCE},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,${withoutProof}`);
    const { credentials } = await credentialsOf(FIRST, `${withoutProof},p=${proof}`);
    expect(await credentials.verify(SECRET)).toBe(false);
  });

  it('reject a server signature or a stored key in place of the proof', async () => {
    for (const proof of [
      '6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
      Buffer.from(SECRET.storedKey).toString('base64'),
    ]) {
      const { credentials } = await credentialsOf(FIRST, FINAL.replace(PROOF, proof));
      expect(await credentials.verify(SECRET)).toBe(false);
    }
  });

  it.each([
    ['nothing', ''],
    ['no proof', `c=biws,r=${NONCE}`],
    ['a proof that is not base64', `c=biws,r=${NONCE},p=!`],
    ['something behind the proof', `${FINAL},x=1`],
    ['a mandatory extension', FINAL.replace(',p=', ',m=1,p=')],
    ['no UTF-8', Uint8Array.of(0xff)],
    ['a NUL', `${FINAL}\0`],
  ])('break at a final message with %s, also if the checker catches that', async (_what, final) => {
    const { ask, credentials } = await credentialsOf(FIRST, final);
    await expect(credentials.verify(SECRET)).rejects.toThrow(MalformedResponse);
    expect(await credentials.verify(SECRET)).toBe(false);
    await expect(credentials.conclude()).rejects.toThrow(MalformedResponse);
    expect(ask.asked).toHaveLength(1);
  });

  it('break as the exchange does', async () => {
    const cancelled = new ExchangeCancelled();
    const credentials = await challenger.challenge(() => Promise.reject(cancelled), encodeUtf8(FIRST), someMind());
    await expect(credentials.checkPassword('pencil')).rejects.toBe(cancelled);
    await expect(credentials.conclude()).rejects.toBe(cancelled);
  });

  it('reject a response to the signature that is not empty', async () => {
    const { credentials } = await credentialsOf(FIRST, FINAL, 'v');
    expect(await credentials.verify(SECRET)).toBe(true);
    await expect(credentials.accepted()).rejects.toThrow(MalformedResponse);
  });

  it('end after the client has answered the last challenge', async () => {
    const answer = Promise.withResolvers<Uint8Array>();
    const credentials = await challenger.challenge(() => answer.promise, encodeUtf8(FIRST), someMind());
    const verified = credentials.verify(SECRET);
    let ended = false;
    const concluded = credentials.conclude().then(() => {
      ended = true;
    });
    await Promise.resolve();
    expect(ended).toBe(false);
    answer.resolve(encodeUtf8(FINAL));
    await concluded;
    expect(await verified).toBe(true);
  });

  it.each([
    ['the name as received, not as prepared', 'n=us\u00ader,r=rOprNGfwEbeRWgbNEkqO', ''],
    ['the name as escaped', 'n=us=2Cer=3D,r=rOprNGfwEbeRWgbNEkqO', ''],
    ['the extensions of the first message', 'n=user,r=rOprNGfwEbeRWgbNEkqO,x=1,Y=z=', ''],
    ['the extensions of the final message', 'n=user,r=rOprNGfwEbeRWgbNEkqO', ',x=1,o=\u00e4'],
  ])('cover the whole AuthMessage: %s', async (_what, bare, extensions) => {
    const withoutProof = `c=biws,r=${NONCE}${extensions}`;
    const proof = proofOf('pencil', `${bare},r=${NONCE},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,${withoutProof}`);
    const { credentials } = await credentialsOf(`n,,${bare}`, `${withoutProof},p=${proof}`);
    expect(await credentials.verify(SECRET)).toBe(true);
  });

  it('show nothing of the exchange to a log', async () => {
    const { credentials } = await credentialsOf(FIRST, FINAL);
    await credentials.verify(SECRET);
    const shown = inspect(credentials, { showHidden: true, getters: true, depth: 10 }) + JSON.stringify(credentials);
    expect(shown).toContain('user');
    expect(shown).not.toContain('rOprNGfwEbeRWgbNEkqO');
  });

  it('send no error to the client', async () => {
    const { ask, credentials } = await credentialsOf(FIRST, FINAL.replace('p=d', 'p=e'));
    await credentials.verify(SECRET);
    await credentials.conclude();
    expect(ask.asked).toEqual([`r=${NONCE},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`]);
  });
});
