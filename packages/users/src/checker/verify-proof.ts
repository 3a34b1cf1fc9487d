import type { MaybePromise } from '@postern/core';
import type { PasswordProof } from '@postern/cred';
import { CramMd5Response, DigestMd5Response, ScramCredentials } from '@postern/sasl';
import type { StoredSecrets } from './stored-secrets.ts';

/**
 * Verifies a proof that hides the password, such as SCRAM's, by the user's secrets. Returns
 * undefined, and asks the client nothing, if none of the secrets can verify it.
 */
export function verifyProof(credentials: PasswordProof, secrets: StoredSecrets): MaybePromise<boolean> | undefined {
  const { scram, clear, cramMd5, digestMd5 } = secrets;
  if (credentials instanceof ScramCredentials) {
    const secret = scram.find(({ hash }) => hash === credentials.hash);
    if (secret !== undefined) return credentials.verify(secret);
  }
  if (clear !== undefined) return credentials.checkPassword(clear);
  if (credentials instanceof CramMd5Response && cramMd5 !== undefined) {
    return credentials.checkContexts(cramMd5.contexts);
  }
  if (credentials instanceof DigestMd5Response && digestMd5.length > 0) {
    return digestMd5.some(({ digest }) => credentials.checkSecret(digest));
  }
  return undefined;
}

/**
 * Does the work of a wrong proof. Live credentials stay untouched: they are for the next checker of
 * a cascade, or for the decoy.
 */
export function imitateWork(credentials: PasswordProof): void {
  if (credentials instanceof CramMd5Response || credentials instanceof DigestMd5Response) {
    credentials.checkPassword(IMPOSSIBLE_PASSWORD);
  }
}

/** No client proves this password, since it contains NUL. */
const IMPOSSIBLE_PASSWORD = '\0';
