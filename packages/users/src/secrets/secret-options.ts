import { SecretError } from '../errors.ts';
import type { Crypt } from './secret.ts';

/** The options of `parseSecret`. */
export interface SecretOptions {
  /**
   * Computes the hashes of crypt(3) that this package does not compute, such as yescrypt:
   * `libcrypt()` of `@postern/crypt`. Default: a secret of such a scheme is an error.
   */
  readonly crypt?: Crypt | undefined;
  /**
   * True accepts the schemes that Dovecot 2.4 refuses unless `auth_allow_weak_schemes` is set: DES,
   * MD5 and MD4 in all forms but `$apr1$`, CRAM-MD5 and DIGEST-MD5. Default: false.
   */
  readonly allowWeak?: boolean | undefined;
}

/**
 * Refuses a weak scheme unless the options allow it.
 *
 * @throws SecretError with the code `weak-scheme`.
 */
export function refuseWeak(scheme: string, { allowWeak }: SecretOptions): void {
  if (allowWeak === true) return;
  throw new SecretError(
    'weak-scheme',
    `a stored secret has the weak scheme ${scheme}: allow weak schemes, or set a new password`,
  );
}
