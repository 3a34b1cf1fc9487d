import { Refusal } from '@postern/sasl-profile';
import type { Maildrop } from './maildrop.ts';

/**
 * Returns the index of a message by its number, which counts from 1 (RFC 1939 §4).
 *
 * @throws Refusal if there is no such message, or if it is marked (§5).
 */
export function indexOf(maildrop: Maildrop, message: number): number {
  const index = message - 1;
  if (maildrop.at(index) !== undefined) return index;
  // A client may run through the numbers of all messages, so this refusal is no error.
  if (maildrop.isDeleted(index)) throw new Refusal(`-ERR message ${message} already deleted`, { counts: false });
  throw new Refusal(`-ERR no such message, only ${maildrop.messages.length} messages in maildrop`);
}
