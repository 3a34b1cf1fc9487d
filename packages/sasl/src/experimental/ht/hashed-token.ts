import { createHmac, createSecretKey } from 'node:crypto';
import type { ChannelBindingType } from '@postern/cred';
import { STRENGTH } from '../../strength.ts';

/** The channel binding of an HT mechanism: the last part of its name. */
export type HtBinding = 'NONE' | 'ENDP' | 'EXPR' | 'UNIQ';

/** The channel binding type of each HT mechanism. Undefined for the mechanism without one. */
export const BINDING_TYPES: Readonly<Record<HtBinding, ChannelBindingType | undefined>> = {
  NONE: undefined,
  ENDP: 'tls-server-end-point',
  EXPR: 'tls-exporter',
  UNIQ: 'tls-unique',
};

/**
 * The strength of each mechanism: bound ones just below SCRAM with -PLUS, the unbound one just
 * below SCRAM.
 */
export const HT_STRENGTHS: Readonly<Record<HtBinding, number>> = {
  NONE: STRENGTH.proof,
  ENDP: STRENGTH.bound,
  UNIQ: STRENGTH.bound + 1,
  EXPR: STRENGTH.bound + 2,
};

/** Returns the proof of one side that it has the token: 32 bytes. */
export function hashedToken(token: Uint8Array, side: 'Initiator' | 'Responder', binding: Uint8Array): Buffer {
  // With the bytes as the key, Node takes three times as long.
  return createHmac('sha256', createSecretKey(token)).update(side).update(binding).digest();
}
