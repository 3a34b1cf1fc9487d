import { createHmac, createSecretKey } from 'node:crypto';
import type { ChannelBindingType } from '@postern/cred';
import { STRENGTH } from '../../strength.ts';

/** What binds an HT mechanism to the channel: the last part of its name. */
export type HtBinding = 'NONE' | 'ENDP' | 'EXPR' | 'UNIQ';

/** The channel binding type that a mechanism's name stands for; undefined for none. */
export const BINDING_TYPES: Readonly<Record<HtBinding, ChannelBindingType | undefined>> = {
  NONE: undefined,
  ENDP: 'tls-server-end-point',
  EXPR: 'tls-exporter',
  UNIQ: 'tls-unique',
};

/** The strength of each mechanism: bound ones just below SCRAM with -PLUS, the unbound one just below SCRAM. */
export const HT_STRENGTHS: Readonly<Record<HtBinding, number>> = {
  NONE: STRENGTH.proof,
  ENDP: STRENGTH.bound,
  UNIQ: STRENGTH.bound + 1,
  EXPR: STRENGTH.bound + 2,
};

/** What one side proves with that it has the token: 32 bytes. */
export function hashedToken(token: Uint8Array, side: 'Initiator' | 'Responder', binding: Uint8Array): Buffer {
  // With the bytes themselves node takes three times as long.
  return createHmac('sha256', createSecretKey(token)).update(side).update(binding).digest();
}
