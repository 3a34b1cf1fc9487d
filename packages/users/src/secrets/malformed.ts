import { SecretError } from '../errors.ts';

/**
 * Returns the error for a secret whose text does not fit its scheme. `expected` says what would be
 * right. The message holds no part of the secret.
 */
export function malformed(scheme: string, expected: string): SecretError {
  return new SecretError(
    'malformed-secret',
    `a stored secret of the scheme ${scheme} is malformed: expected ${expected}`,
  );
}
