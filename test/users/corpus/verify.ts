import { type HashQueue, parseSecret, type SecretOptions } from '@postern/users';
import { isCramMd5KeyOf, isDigestMd5KeyOf } from '../../../packages/users/src/secrets/md5-keys.ts';
import { USER } from '../../support/password-tools/password-tool.ts';

/**
 * Resolves to true if the password, as a client sends it, is right for the stored text. Rejects
 * with SecretError as `parseSecret` throws it.
 */
export async function verify(
  text: string,
  password: string,
  queue: HashQueue,
  options: SecretOptions,
): Promise<boolean> {
  const secret = parseSecret(text, options);
  switch (secret.kind) {
    case 'hash':
      return await queue.verify(secret, password);
    case 'scram':
      return await secret.secret.verifyPassword(password);
    case 'clear':
      return secret.password === password;
    case 'cram-md5':
      return isCramMd5KeyOf(password, secret);
    case 'digest-md5':
      return isDigestMd5KeyOf(password, USER, secret);
    case 'none':
      return false;
  }
}
