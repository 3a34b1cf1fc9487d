import { randomBytes } from 'node:crypto';

/**
 * Returns a timestamp for a greeting (RFC 1939 §7), in the form of a message id, with 128 random
 * bits: nobody can guess it, and no two connections have the same.
 */
export function apopTimestamp(hostname: string): string {
  return `<${randomBytes(16).toString('hex')}@${hostname}>`;
}
