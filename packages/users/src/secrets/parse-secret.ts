import { ScramSecret } from '@postern/sasl';
import { SecretError } from '../errors.ts';
import { isArgon2, parseArgon2 } from './argon2.ts';
import { parseBraced } from './braced-schemes.ts';
import { parseCrypt } from './crypt.ts';
import { malformed } from './malformed.ts';
import { isLocked, NO_PASSWORD } from './no-password.ts';
import { isPbkdf2, parsePbkdf2 } from './pbkdf2.ts';
import { isScrypt, parseScrypt } from './scrypt.ts';
import type { Secret } from './secret.ts';
import type { SecretOptions } from './secret-options.ts';

/**
 * Parses a stored secret in any spelling: PHC strings of argon2, scrypt and PBKDF2, passlib's
 * spellings of them, hashes of crypt(3), `{SCHEME}` of Dovecot and OpenLDAP, and SCRAM records. A
 * password in clear text needs a prefix such as `{PLAIN}`. A locked or empty field has the kind
 * `none`.
 *
 * @throws SecretError for any other text: the fault is the operator's. The message holds no part of
 * the secret but the name of its scheme.
 *
 * @example
 * ```ts
 * import { parseSecret } from '@postern/users';
 *
 * const secret = parseSecret('{SSHA}WAcFnvy/tx3k/YzAmliYv2Z8D3yuYast');
 * if (secret.kind === 'hash') console.log(secret.scheme);
 * ```
 */
export function parseSecret(text: string, options: SecretOptions = {}): Secret {
  if (text.length > MAX_SECRET_CHARACTERS) {
    throw new SecretError('malformed-secret', `a stored secret has more than ${MAX_SECRET_CHARACTERS} characters`);
  }
  if (isLocked(text)) return NO_PASSWORD;
  if (text.startsWith('{')) return parseBraced(text, options);
  if (isArgon2(text)) return parseArgon2(text);
  if (isScrypt(text)) return parseScrypt(text);
  if (isPbkdf2(text)) return parsePbkdf2(text);
  if (text.trimStart().startsWith('SCRAM-')) return parseScramRecord(text);
  const hash = parseCrypt(text, options);
  if (hash === undefined) throw unknownScheme(text);
  return hash;
}

function parseScramRecord(text: string): Secret {
  const secret = ScramSecret.parse(text);
  if (secret === undefined) {
    throw malformed('SCRAM', `${SCRAM_FORM} with 4,096 to 10,000,000 iterations`);
  }
  return { kind: 'scram', secret };
}

function unknownScheme(text: string): SecretError {
  const program = FOREIGN_SCHEMES.find(({ form }) => form.test(text))?.program;
  const what = program === undefined ? 'no known scheme' : `a scheme of ${program}, which is not supported`;
  return new SecretError(
    'unknown-scheme',
    `a stored secret has ${what}: a password in clear text needs the prefix {PLAIN}`,
  );
}

/** Schemes of other programs that an operator may try to import. */
const FOREIGN_SCHEMES: readonly { readonly form: RegExp; readonly program: string }[] = [
  { form: /^\$[PH]\$/, program: 'phpass' },
  { form: /^\$S\$/, program: 'Drupal' },
  { form: /^\$bcrypt-sha256\$/, program: 'passlib' },
  { form: /^(?:pbkdf2|scrypt|argon2|bcrypt)_?[a-z0-9]*\$/, program: 'Django' },
  { form: /^(?:pbkdf2|scrypt):/, program: 'Werkzeug' },
  { form: /^md5[0-9a-f]{32}$/, program: 'PostgreSQL (md5)' },
  { form: /^\*/, program: 'MySQL' },
];

const SCRAM_FORM = 'SCRAM-SHA-256$ITERATIONS:SALT$STOREDKEY:SERVERKEY';

/** Above a password of 4,096 octets in hexadecimal digits with its prefix. */
const MAX_SECRET_CHARACTERS = 9000;
