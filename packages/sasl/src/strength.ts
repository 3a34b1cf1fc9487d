import type { Responder } from './client/responder.ts';

/**
 * Where a responder stands in the order in which a client tries them, the first lowest: bound to the channel before not bound,
 * proving before showing, and the stronger hash first. A mechanism that the table does not know stands with its kind.
 */
export function rank({ mechanism, exposesSecret }: Responder): number {
  const at = STRENGTH.indexOf(mechanism);
  if (at >= 0) return at;
  return STRENGTH.indexOf(exposesSecret ? 'PLAIN' : 'DIGEST-MD5') - 0.5;
}

const STRENGTH: readonly string[] = [
  'SCRAM-SHA3-512-PLUS',
  'SCRAM-SHA-512-PLUS',
  'SCRAM-SHA-384-PLUS',
  'SCRAM-SHA-256-PLUS',
  'SCRAM-SHA-224-PLUS',
  'SCRAM-SHA-1-PLUS',
  'HT-SHA-256-EXPR',
  'HT-SHA-256-UNIQ',
  'HT-SHA-256-ENDP',
  'EXTERNAL',
  'SCRAM-SHA3-512',
  'SCRAM-SHA-512',
  'SCRAM-SHA-384',
  'SCRAM-SHA-256',
  'SCRAM-SHA-224',
  'SCRAM-SHA-1',
  'HT-SHA-256-NONE',
  'OAUTHBEARER',
  'XOAUTH2',
  'DIGEST-MD5',
  'CRAM-MD5',
  'PLAIN',
  'LOGIN',
  'ANONYMOUS',
];
