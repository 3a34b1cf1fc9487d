import { libcrypt } from '@postern/crypt';
import { preparePassword } from '@postern/sasl';
import { HashQueue, parseSecret, type SecretError } from '@postern/users';
import { afterAll, describe, expect, it } from 'vitest';
import { type CorpusEntry, readCorpus } from './corpus/corpus.ts';
import { verify } from './corpus/verify.ts';

/** Texts that Postern does not compare with a password: an error for the operator at import. */
const REFUSED: Readonly<Record<string, readonly [RegExp, SecretError['code']][]>> = {
  doveadm: [
    [/-s OTP /, 'unknown-scheme'],
    // Dovecot writes the password without the length that its own verification wants.
    [/-s PLAIN-TRUNC /, 'malformed-secret'],
  ],
  // The fifth field holds the SaltedPassword, with which a thief logs in.
  gsasl: [[/--verbose/, 'malformed-secret']],
  // A password in clear text without a prefix.
  htpasswd: [[/ -p /, 'unknown-scheme']],
  slappasswd: [[/{CLEARTEXT}/, 'unknown-scheme']],
  passlib: [
    // Without {CRYPT} it could be a password.
    [/hash\.bigcrypt\./, 'unknown-scheme'],
    [
      /\.(bcrypt_sha256|atlassian_pbkdf2_sha1|django_\w+|cta_pbkdf2_sha1|phpass|mysql41|nthash|scram)\./,
      'unknown-scheme',
    ],
  ],
  postgresql: [[/'md5'/, 'unknown-scheme']],
};

/** Fields without a password. */
const LOCKED: Readonly<Record<string, RegExp>> = {
  htpasswd: /-r 10 /,
  passlib: /unix_disabled/,
  shadow: /^useradd --prefix DIR joe$|-L joe$/,
};

const corpus = Array.from(readCorpus());
const options = { crypt: libcrypt(), allowWeak: true };
const queue = new HashQueue();
afterAll(() => queue.close());

it('has at least 80 texts of at least 10 tools', () => {
  expect(corpus.length).toBeGreaterThanOrEqual(10);
  expect(corpus.flatMap(([, { entries }]) => entries).length).toBeGreaterThanOrEqual(80);
});

describe.each(corpus)('%s', (tool, { entries }) => {
  for (const entry of entries.filter(({ costly }) => !costly)) {
    const { scheme, command, text } = entry;
    const title = `${scheme}: ${command}: ${text}`;
    const code = REFUSED[tool]?.find(([form]) => form.test(command))?.[1];
    if (code !== undefined) {
      it(`has an error for the operator: ${title}`, () => {
        expect(() => parseSecret(text, options)).toThrow(expect.objectContaining({ name: 'SecretError', code }));
      });
    } else if (LOCKED[tool]?.test(command)) {
      it(`has no password: ${title}`, () => expect(parseSecret(text, options)).toEqual({ kind: 'none' }));
    } else {
      it(`lets in the passwords that the tool lets in: ${title}`, async () => {
        for (const { password, accepted } of entry.verdicts) {
          const right = accepted || isPreparedAlike(entry, password);
          expect(await verify(text, password, queue, options), JSON.stringify(password)).toBe(right);
        }
      });
    }
  }
});

/**
 * Returns true if SASLprep turns the password into one that the tool lets in, and the text is a
 * SCRAM record: all clients of SCRAM prepare passwords, some tools do not.
 */
function isPreparedAlike({ text, verdicts }: CorpusEntry, password: string): boolean {
  if (parseSecret(text, options).kind !== 'scram') return false;
  const prepared = preparePassword(password);
  return verdicts.some((verdict) => verdict.accepted && verdict.password === prepared);
}
