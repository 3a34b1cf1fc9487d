import { randomBytes } from 'node:crypto';

/**
 * Returns a timestamp for a greeting (RFC 1939 §7), in the form of a message id. Its 128 random
 * bits make it unguessable, and different on each connection.
 */
export function apopTimestamp(hostname: string): string {
  return `<${randomBytes(16).toString('hex')}@${hostname}>`;
}
