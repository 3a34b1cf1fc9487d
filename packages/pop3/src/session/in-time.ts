import { TimedOut } from '@postern/conversation';
import { isPromise, type MaybePromise } from '@postern/core';
import type { State } from './state.ts';

/**
 * Returns the result of a call of a mailbox: synchronously if the mailbox returns it so.
 *
 * @throws Error as a rejection, after `mailboxTimeout` milliseconds.
 */
export function inTime<T>({ conversation, settings }: State, result: MaybePromise<T>): MaybePromise<T> {
  if (!isPromise(result)) return result;
  const { mailboxTimeout } = settings.limits;
  return conversation.within(mailboxTimeout, result).catch((error: unknown) => {
    // The timeout of the mailbox must not look like one of the client.
    throw error instanceof TimedOut ? new Error(`the mailbox took more than ${mailboxTimeout} ms`) : error;
  });
}
