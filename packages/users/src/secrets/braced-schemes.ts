import { SCRAM_HASHES, ScramSecret } from '@postern/sasl';
import { SecretError } from '../errors.ts';
import { parseArgon2 } from './argon2.ts';
import { parseClearPassword, parseTruncatedPassword } from './clear-password.ts';
import { parseBigcrypt, parseCrypt } from './crypt.ts';
import { type DigestScheme, digestHash } from './digests.ts';
import { malformed } from './malformed.ts';
import { parseMd5CryptOctets } from './md5-crypt.ts';
import { CRAM_MD5_OCTETS, DIGEST_MD5_OCTETS, parseCramMd5Key, parseDigestMd5Key } from './md5-keys.ts';
import { isLocked, NO_PASSWORD } from './no-password.ts';
import { decodeHex, decodePadded } from './octets.ts';
import { parseAdaptedPbkdf2, parseDovecotPbkdf2 } from './pbkdf2.ts';
import type { Secret } from './secret.ts';
import { refuseWeak, type SecretOptions } from './secret-options.ts';

/**
 * Parses `{SCHEME}value` of Dovecot and OpenLDAP, in either case, with Dovecot's encodings
 * `{SCHEME.b64}`, `{SCHEME.base64}` and `{SCHEME.hex}`. Where the two dialects share a name, the
 * form of the value says which one it is.
 *
 * @throws SecretError for an unknown or refused scheme, and for a malformed value.
 */
export function parseBraced(text: string, options: SecretOptions): Secret {
  const end = text.indexOf('}');
  const [name = '', suffix, ...more] = text.slice(1, Math.max(end, 1)).toUpperCase().split('.', 3);
  const parse = SCHEMES.get(name);
  const encoding = suffix === undefined ? undefined : ENCODINGS.get(suffix);
  if (parse === undefined) throw unknownScheme(name);
  if (more.length > 0 || (suffix !== undefined && encoding === undefined)) {
    throw malformed(name, 'the encoding .b64, .base64 or .hex, or no encoding');
  }
  return parse(new SchemeValue(name, text.slice(end + 1), encoding), options);
}

/** The text after the braces, and the encoding that stands in them. */
class SchemeValue {
  readonly scheme: string;
  readonly #text: string;
  readonly #encoding: 'base64' | 'hex' | undefined;

  constructor(scheme: string, text: string, encoding: 'base64' | 'hex' | undefined) {
    this.scheme = scheme;
    this.#text = text;
    this.#encoding = encoding;
  }

  /** The octets of a scheme whose value is text unless the braces name an encoding. */
  get octets(): Buffer {
    return this.#encoding === undefined ? Buffer.from(this.#text) : this.#decode(this.#encoding);
  }

  /** The text of a scheme whose value is text unless the braces name an encoding. */
  get text(): string {
    return this.#encoding === undefined ? this.#text : this.#decode(this.#encoding).toString();
  }

  /** The octets of a scheme whose value is base64 by default. */
  get base64(): Buffer {
    return this.#decode(this.#encoding ?? 'base64');
  }

  /**
   * The octets of a scheme whose values all have `octets` octets. By default a value of twice as
   * many characters is hexadecimal and any other is base64, whatever the scheme, as in Dovecot.
   */
  decodeExactly(octets: number): Buffer {
    return this.#decode(this.#encoding ?? (this.#text.length === 2 * octets ? 'hex' : 'base64'));
  }

  #decode(encoding: 'base64' | 'hex'): Buffer {
    const decoded = encoding === 'hex' ? decodeHex(this.#text) : decodePadded(this.#text);
    if (decoded !== undefined) return decoded;
    throw malformed(this.scheme, encoding === 'hex' ? 'hexadecimal digits' : 'base64 with padding');
  }
}

/** Prints the name of a scheme that exists. Any other text in braces may be a password. */
function unknownScheme(name: string): SecretError {
  const what = UNSUPPORTED_SCHEMES.has(name)
    ? `the scheme {${name}}, which is not supported`
    : 'an unknown scheme in braces';
  return new SecretError('unknown-scheme', `a stored secret has ${what}`);
}

type ParseValue = (value: SchemeValue, options: SecretOptions) => Secret;

/** Any hash of crypt(3), or a locked field. The hash says its type, not the name in braces. */
const crypt: ParseValue = ({ scheme, text }, options) => {
  if (isLocked(text)) return NO_PASSWORD;
  const hash = parseCrypt(text, options) ?? parseBigcrypt(text, options);
  if (hash === undefined) throw malformed(scheme, 'a hash of crypt(3)');
  return hash;
};

const argon2: ParseValue = ({ text }) => parseArgon2(text);
const clear: ParseValue = ({ octets }) => parseClearPassword(octets);

const pbkdf2: ParseValue = ({ scheme, text }) =>
  text.startsWith('$1$') ? parseDovecotPbkdf2(text) : parseAdaptedPbkdf2(scheme.toLowerCase(), text);

const scram: ParseValue = ({ scheme, text }) => {
  const secret = ScramSecret.parse(`{${scheme}}${text}`);
  if (secret === undefined) throw malformed(scheme, SCRAM_COMMA_FORM);
  return { kind: 'scram', secret };
};

/** OpenLDAP's value is the octets of digest and salt. Other programs write a whole hash there. */
function md5Crypt(prefix: '$apr1$' | '$1$'): ParseValue {
  return (value, options) =>
    value.text.startsWith(prefix) ? crypt(value, options) : parseMd5CryptOctets(prefix, value.base64, options);
}

function digest(scheme: DigestScheme): ParseValue {
  return (value) => digestHash(scheme, scheme.salted ? value.base64 : value.decodeExactly(scheme.octets));
}

function weak(parse: ParseValue): ParseValue {
  return (value, options) => {
    refuseWeak(value.scheme, options);
    return parse(value, options);
  };
}

const SHA1: DigestScheme = { scheme: 'sha', digest: 'sha1', octets: 20, salted: false };
const SHA256: DigestScheme = { scheme: 'sha256', digest: 'sha256', octets: 32, salted: false };
const SHA384: DigestScheme = { scheme: 'sha384', digest: 'sha384', octets: 48, salted: false };
const SHA512: DigestScheme = { scheme: 'sha512', digest: 'sha512', octets: 64, salted: false };
const MD5: DigestScheme = { scheme: 'md5', digest: 'md5', octets: 16, salted: false };
const MD4: DigestScheme = { scheme: 'md4', digest: 'md4', octets: 16, salted: false };

/** Dovecot's `{MD5}` is a hash of MD5-crypt or a bare digest; OpenLDAP's is a bare digest. */
const md5: ParseValue = (value, options) =>
  value.text.startsWith('$1$') ? crypt(value, options) : digest(MD5)(value, options);

const cramMd5: ParseValue = (value) => parseCramMd5Key(value.decodeExactly(CRAM_MD5_OCTETS));
const digestMd5: ParseValue = (value) => parseDigestMd5Key(value.decodeExactly(DIGEST_MD5_OCTETS));

/** The schemes of Dovecot 2.4 and OpenLDAP 2.6. Dovecot 2.4 refuses the weak ones by default. */
const SCHEMES: ReadonlyMap<string, ParseValue> = new Map([
  ['PLAIN', clear],
  ['CLEAR', clear],
  ['CLEARTEXT', clear],
  ['PLAIN-TRUNC', ({ octets }) => parseTruncatedPassword(octets)],

  ['CRYPT', crypt],
  ['BLF-CRYPT', crypt],
  ['SHA256-CRYPT', crypt],
  ['SHA512-CRYPT', crypt],
  ['MD5-CRYPT', weak(crypt)],
  ['DES-CRYPT', weak(crypt)],
  ['APR1', md5Crypt('$apr1$')],
  ['BSDMD5', weak(md5Crypt('$1$'))],

  ['SHA', digest(SHA1)],
  ['SHA1', digest(SHA1)],
  ['SHA256', digest(SHA256)],
  ['SHA384', digest(SHA384)],
  ['SHA512', digest(SHA512)],
  ['SSHA', digest({ ...SHA1, scheme: 'ssha', salted: true })],
  ['SSHA256', digest({ ...SHA256, scheme: 'ssha256', salted: true })],
  ['SSHA384', digest({ ...SHA384, scheme: 'ssha384', salted: true })],
  ['SSHA512', digest({ ...SHA512, scheme: 'ssha512', salted: true })],
  ['MD5', weak(md5)],
  ['SMD5', weak(digest({ ...MD5, scheme: 'smd5', salted: true }))],
  ['LDAP-MD5', weak(digest(MD5))],
  ['PLAIN-MD5', weak(digest(MD5))],
  ['PLAIN-MD4', weak(digest(MD4))],

  ['ARGON2', argon2],
  ['ARGON2I', argon2],
  ['ARGON2ID', argon2],
  ['PBKDF2', pbkdf2],
  ['PBKDF2-SHA1', pbkdf2],
  ['PBKDF2-SHA256', pbkdf2],
  ['PBKDF2-SHA512', pbkdf2],

  ...Object.values(SCRAM_HASHES).map(({ mechanism }): [string, ParseValue] => [mechanism, scram]),
  ['CRAM-MD5', cramMd5],
  ['HMAC-MD5', weak(cramMd5)],
  ['DIGEST-MD5', digestMd5],
]);

/** Names of schemes that exist in other programs, which an error message may print. */
const UNSUPPORTED_SCHEMES: ReadonlySet<string> = new Set([
  'FSHP',
  'KERBEROS',
  'LANMAN',
  'LM',
  'MSMD5',
  'NS-MTA-MD5',
  'NT',
  'NTLM',
  'OTP',
  'PKCS5S2',
  'RPA',
  'SASL',
  'SKEY',
  'SSHA3-256',
  'SSHA3-512',
  'TOTP1',
  'TOTP256',
  'TOTP512',
  'UNIX',
]);

const ENCODINGS: ReadonlyMap<string, 'base64' | 'hex'> = new Map([
  ['B64', 'base64'],
  ['BASE64', 'base64'],
  ['HEX', 'hex'],
]);

const SCRAM_COMMA_FORM = 'ITERATIONS,SALT,STOREDKEY,SERVERKEY with 4,096 to 10,000,000 iterations, and no fifth field';
