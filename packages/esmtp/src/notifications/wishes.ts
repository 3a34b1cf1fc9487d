import type { RcptParameters } from '../delivery.ts';

/** Returns true if the sender wants to be told that a recipient has the message (RFC 3461 §4.1). */
export function wantsSuccess({ notify }: RcptParameters): boolean {
  return notify !== undefined && notify !== 'NEVER' && notify.includes('SUCCESS');
}

/** Returns true if the sender wants to be told that the message failed for a recipient; without a wish it does (RFC 3461 §5.2.6). */
export function wantsFailure({ notify }: RcptParameters): boolean {
  return notify === undefined || (notify !== 'NEVER' && notify.includes('FAILURE'));
}
