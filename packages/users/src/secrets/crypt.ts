import { SecretError } from '../errors.ts';
import { isBcrypt, parseBcrypt } from './bcrypt.ts';
import { malformed } from './malformed.ts';
import { isMd5Crypt, parseMd5Crypt } from './md5-crypt.ts';
import { equalOctets } from './octets.ts';
import type { Crypt, PasswordHash } from './secret.ts';
import { refuseWeak, type SecretOptions } from './secret-options.ts';
import { isShaCrypt, parseShaCrypt } from './sha-crypt.ts';

/**
 * Parses a hash of crypt(3). bcrypt, SHA-crypt and MD5-crypt are computed here. `options.crypt`
 * computes the other ones. Returns undefined for a text in the form of no known hash.
 *
 * @throws SecretError for a malformed or weak hash, and for one that needs `options.crypt`.
 */
export function parseCrypt(text: string, options: SecretOptions): PasswordHash | undefined {
  if (isBcrypt(text)) return parseBcrypt(text);
  if (isShaCrypt(text)) return parseShaCrypt(text);
  if (isMd5Crypt(text)) return parseMd5Crypt(text, options);
  const { crypt } = options;
  const known = OTHER_SCHEMES.find(({ form }) => form.test(text));
  if (known?.weak) refuseWeak(known.scheme, options);
  // A newer libcrypt may know more schemes.
  if (known === undefined && !(NEW_SETTING.test(text) && crypt?.work(text))) return undefined;
  return throughLibcrypt(text, known ?? { scheme: 'crypt' }, crypt);
}

/**
 * Parses a hash of bigcrypt: DES over up to 16 blocks of 8 octets. `slappasswd -h {CRYPT}` writes
 * it for a password of more than 8 octets. Returns undefined for any other text. Without braces the
 * text could be a password or another program's digest.
 *
 * @throws SecretError because it is weak, and for one that needs `options.crypt`.
 */
export function parseBigcrypt(text: string, options: SecretOptions): PasswordHash | undefined {
  if (!BIGCRYPT.test(text)) return undefined;
  refuseWeak('bigcrypt', options);
  return throughLibcrypt(text, { scheme: 'bigcrypt', maxOctets: 128 }, options.crypt);
}

function throughLibcrypt(
  text: string,
  { scheme, maxOctets }: Pick<OtherScheme, 'scheme' | 'maxOctets'>,
  crypt: Crypt | undefined,
): PasswordHash {
  if (crypt === undefined) {
    throw new SecretError(
      'unavailable-scheme',
      `a stored secret has the scheme ${scheme}, which needs the package @postern/crypt`,
    );
  }
  if (!SETTING.test(text)) throw malformed(scheme, 'ASCII without white space and any of ! * : ; \\');
  const work = crypt.work(text);
  if (work === undefined) {
    throw new SecretError(
      'unavailable-scheme',
      `the libcrypt of this system does not compute a hash of the scheme ${scheme}`,
    );
  }
  return {
    kind: 'hash',
    scheme,
    work,
    ...(maxOctets !== undefined && { maxOctets }),
    compare: async (password) => {
      const hash = await crypt.hash(password, text);
      if (hash === undefined) throw malformed(scheme, 'a setting that libcrypt accepts');
      return equalOctets(Buffer.from(hash), Buffer.from(text));
    },
  };
}

/** The characters of a passwd file, which libxcrypt accepts in a setting. */
const SETTING = /^[!-~]+$/;

/** The form of every scheme of crypt(5) that is newer than 1994. */
const NEW_SETTING = /^\$[!-~]+$/;

/** A salt and at least two blocks. */
const BIGCRYPT = /^[./0-9A-Za-z]{2}(?:[./0-9A-Za-z]{11}){2,16}$/;

interface OtherScheme {
  readonly scheme: string;
  readonly form: RegExp;
  readonly weak?: true;
  /** The octets of a password that the hash depends on. Default: all. */
  readonly maxOctets?: number;
}

/** The schemes of crypt(5) that only libcrypt computes. */
const OTHER_SCHEMES: readonly OtherScheme[] = [
  { scheme: 'yescrypt', form: /^\$y\$/ },
  { scheme: 'gost-yescrypt', form: /^\$gy\$/ },
  { scheme: 'sm3-yescrypt', form: /^\$sm3y\$/ },
  { scheme: 'sm3-crypt', form: /^\$sm3\$/ },
  { scheme: 'scrypt-crypt', form: /^\$7\$/ },
  { scheme: 'sha1-crypt', form: /^\$sha1\$/ },
  { scheme: 'sunmd5', form: /^\$md5[$,]/ },
  { scheme: 'nt-crypt', form: /^\$3\$/, weak: true },
  { scheme: 'bsdi-crypt', form: /^_[./0-9A-Za-z]{19}$/, weak: true },
  { scheme: 'des-crypt', form: /^[./0-9A-Za-z]{13}$/, weak: true, maxOctets: 8 },
];
