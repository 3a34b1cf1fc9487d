import type { Crypt } from '@postern/users';
import koffi from 'koffi';
import { workOf } from './setting.ts';

/** The options of {@link libcrypt}. */
export interface LibcryptOptions {
  /**
   * The names or paths of the library, the first one that loads. Default: `libcrypt.so.1`, then
   * `libcrypt.so.2`, which Fedora, Arch and others have instead.
   */
  readonly libraries?: readonly string[];
}

/**
 * Loads the system's libcrypt (libxcrypt 4.3 or newer) for the hashes that have no implementation
 * in JavaScript: yescrypt, gost-yescrypt, scrypt in the spelling `$7$`, sha1crypt, SunMD5, NT and
 * DES. It hashes on libuv's pool. Settings that need more than 1 GiB or about ten seconds are
 * refused.
 *
 * @example
 * ```ts
 * import { libcrypt } from '@postern/crypt';
 *
 * const crypt = libcrypt();
 * console.log(await crypt.hash(Buffer.from('s3cret'), '$y$j9T$abcdefghijklmnopqrstu.$'));
 * ```
 *
 * @throws Error if the library is missing or is no libxcrypt. The message says which package of the
 * operating system has it.
 */
export function libcrypt({ libraries = ['libcrypt.so.1', 'libcrypt.so.2'] }: LibcryptOptions = {}): Crypt {
  const { cryptRn, checkSalt } = load(libraries);
  return {
    work: (setting) => {
      if (setting.includes('\0') || !USABLE.has(checkSalt(setting))) return undefined;
      return workOf(setting);
    },
    hash: async (password, setting) => {
      if (setting.includes('\0') || workOf(setting) === undefined) return undefined;
      const length = usableLength(password);
      // libcrypt reads the password up to its NUL.
      const phrase = Buffer.alloc(length + 1);
      phrase.set(password.subarray(0, length));
      const data = Buffer.alloc(CRYPT_DATA_OCTETS);
      try {
        const hash = await cryptRn(phrase, setting, data);
        if (hash === undefined) return undefined;
        // The refusal takes as long as a comparison, so that it does not reveal the user's scheme.
        return length === password.length ? hash : NO_HASH;
      } finally {
        phrase.fill(0);
        data.fill(0);
      }
    },
  };
}

interface Library {
  /** Returns the hash, or undefined for a setting that the library refuses. */
  readonly cryptRn: (phrase: Buffer, setting: string, data: Buffer) => Promise<string | undefined>;
  readonly checkSalt: (setting: string) => number;
}

function load(libraries: readonly string[]): Library {
  const errors: unknown[] = [];
  for (const name of libraries) {
    try {
      const library = koffi.load(name);
      const cryptRn = library.func(
        'str crypt_rn(const uint8_t *phrase, const char *setting, _Inout_ uint8_t *data, int size)',
      );
      const checkSalt = library.func('int crypt_checksalt(const char *setting)');
      return {
        checkSalt: (setting) => checkSalt(setting) as number,
        cryptRn: (phrase, setting, data) =>
          new Promise((resolve, reject) => {
            cryptRn.async(phrase, setting, data, data.length, (error: unknown, hash: string | null) => {
              if (error) reject(error);
              else resolve(hash ?? undefined);
            });
          }),
      };
    } catch (error) {
      errors.push(error);
    }
  }
  throw new Error(
    `${libraries.join(' and ')} cannot be loaded: install libxcrypt 4.3 or newer (Debian and Ubuntu: the package ` +
      'libcrypt1; Fedora, Arch and SUSE: libxcrypt)',
    { cause: new AggregateError(errors, errors.map((error) => (error as Error).message).join('; ')) },
  );
}

/** Returns the number of octets that crypt(3) takes: up to a NUL, and at most 511. */
function usableLength(password: Uint8Array): number {
  const nul = password.indexOf(0);
  return Math.min(nul < 0 ? password.length : nul, MAX_PHRASE_OCTETS);
}

/** `crypt_checksalt`: usable, of an old method, or too cheap for a new hash. */
const USABLE = new Set([0, 3, 4]);

/** The size of `struct crypt_data` (crypt.h). */
const CRYPT_DATA_OCTETS = 32_768;

/** `CRYPT_MAX_PASSPHRASE_SIZE` (crypt.h) less the NUL. */
const MAX_PHRASE_OCTETS = 511;

/** The text that crypt(3) returns on failure. It equals no hash. */
const NO_HASH = '*0';
