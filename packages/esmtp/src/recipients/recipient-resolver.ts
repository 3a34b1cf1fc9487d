import type { MaybePromise } from '@postern/cred';
import type { ForwardPath, Mailbox } from '../protocol/address.ts';

/**
 * What an address stands for. `known` is a mailbox of its own; a list holds the mailboxes that an alias leads
 * to; `unknown` is no mailbox of a domain that is ours; `foreign` is an address of another domain.
 */
export type Resolution = 'known' | 'unknown' | 'foreign' | readonly Mailbox[];

/** Knows which addresses there are: a table, a directory, a database. */
export interface RecipientResolver {
  /**
   * Returns what the address that a client names with RCPT stands for. What it throws, other than a
   * Rejection, makes the reply a temporary one (451).
   */
  resolve(address: ForwardPath): MaybePromise<Resolution>;
}
