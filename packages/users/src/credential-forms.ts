import { type Interface, PasswordProof, UsernamePassword } from '@postern/cred';
import {
  CramMd5Response,
  DigestMd5Response,
  type ScramHash,
  ScramSha1Credentials,
  ScramSha3_512Credentials,
  ScramSha224Credentials,
  ScramSha256Credentials,
  ScramSha384Credentials,
  ScramSha512Credentials,
} from '@postern/sasl';
import { SecretError } from './errors.ts';
import { parseSecret } from './secrets/parse-secret.ts';
import type { UserRecord } from './user-record.ts';

/**
 * Returns the forms in which a user can prove the password, as a sum of bits. 0 is a password that
 * only `UsernamePassword` proves. Undefined is a user that no proof lets in: such a user says
 * nothing about the mechanisms of a server. Databases store the sum; each bit keeps its meaning.
 *
 * A user with a second factor or with application passwords has 0: one proof of SCRAM cannot carry
 * a one-time code, and its salt belongs to one password.
 */
export function credentialForms(user: UserRecord): number | undefined {
  if (user.enabled === false) return undefined;
  const forms = formsOf(user.secrets);
  const appForms = (user.appPasswords ?? []).map(({ secrets }) => formsOf(secrets));
  const hasAppPasswords = appForms.some((form) => form !== undefined);
  if (hasAppPasswords || (forms !== undefined && user.totp !== undefined)) return 0;
  return forms;
}

/**
 * The classes of credentials that all users of a store can use, for
 * `UserStore.credentialInterfaces`. Returns the same array while the classes are the same.
 */
export class CommonInterfaces {
  #forms = 0;
  #interfaces = interfacesOf(0);

  /** Returns the classes for the sums of {@link credentialForms}. Equal sums may be left out. */
  of(forms: Iterable<number>): readonly Interface<PasswordProof>[] {
    let common: number | undefined;
    for (const form of forms) common = (common ?? form) & form;
    // Without users each list is right, and most users will have a hash.
    const found = common ?? 0;
    if (found !== this.#forms) {
      this.#forms = found;
      this.#interfaces = interfacesOf(found);
    }
    return this.#interfaces;
  }
}

function formsOf(secrets: readonly string[]): number | undefined {
  let forms: number | undefined;
  for (const text of secrets) {
    const form = formOf(text);
    if (form !== undefined) forms = (forms ?? 0) | form;
  }
  return forms;
}

function formOf(text: string): number | undefined {
  try {
    const secret = parseSecret(text, { allowWeak: true });
    switch (secret.kind) {
      case 'none':
        return undefined;
      case 'hash':
        return 0;
      case 'scram':
        return SCRAM_BITS[secret.secret.hash];
      case 'clear':
        return ALL_BITS;
      case 'cram-md5':
        return CRAM_MD5_BIT;
      case 'digest-md5':
        return DIGEST_MD5_BIT;
    }
  } catch (error) {
    if (!(error instanceof SecretError)) throw error;
    // The checker may have libcrypt, or the next process.
    return error.code === 'unavailable-scheme' ? 0 : undefined;
  }
}

function interfacesOf(forms: number): readonly Interface<PasswordProof>[] {
  if ((forms & CLEAR_BIT) !== 0) return Object.freeze([PasswordProof]);
  const proofs = INTERFACES.filter(([bit]) => (forms & bit) !== 0).map(([, proof]) => proof);
  return Object.freeze([UsernamePassword, ...proofs]);
}

const SCRAM_BITS: Readonly<Record<ScramHash, number>> = {
  sha1: 1,
  sha224: 2,
  sha256: 4,
  sha384: 8,
  sha512: 16,
  'sha3-512': 32,
};
const CRAM_MD5_BIT = 64;
const DIGEST_MD5_BIT = 128;
const CLEAR_BIT = 256;

/** A password in clear text checks every proof. */
const ALL_BITS = 511;

const INTERFACES: readonly (readonly [bit: number, proof: Interface<PasswordProof>])[] = [
  [SCRAM_BITS.sha1, ScramSha1Credentials],
  [SCRAM_BITS.sha224, ScramSha224Credentials],
  [SCRAM_BITS.sha256, ScramSha256Credentials],
  [SCRAM_BITS.sha384, ScramSha384Credentials],
  [SCRAM_BITS.sha512, ScramSha512Credentials],
  [SCRAM_BITS['sha3-512'], ScramSha3_512Credentials],
  [CRAM_MD5_BIT, CramMd5Response],
  [DIGEST_MD5_BIT, DigestMd5Response],
];
