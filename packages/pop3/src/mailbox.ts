import type { MaybePromise } from '@postern/core';

/** A message in a mailbox. */
export interface MessageInfo {
  /**
   * The octets of the message as {@link MessageContent} returns them: with CRLF line endings, and
   * without dot stuffing (RFC 1939 §11).
   */
  readonly octets: number;
  /**
   * The unique id of the message in this mailbox, for all time: 1 to 70 characters of `!` to `~`
   * (RFC 1939 §7). getmail reads `/` as `-`, so ids hold only one of the two.
   */
  readonly uid: string;
}

/** The content of one message, from its first octet to its last. One reader uses it. */
export interface MessageContent {
  /**
   * Returns the next octets, at least one, with CRLF line endings; undefined at the end. The next
   * call may overwrite them.
   */
  read(): MaybePromise<Uint8Array | undefined>;
  /**
   * Releases the content. Called once: after the end, before it, or while a read has taken more
   * than the limit `mailboxTimeout`.
   */
  close(): MaybePromise<void>;
}

/**
 * The avatar of a user in POP3: the user's messages, as they were at the login. The realm's factory
 * opens the mailbox and locks it against all other sessions (RFC 1939 §4); the logout
 * (`Symbol.asyncDispose`) unlocks it. A mailbox that another session has locked is a
 * {@link MailboxInUse}.
 *
 * An index is the position in {@link messages}, from 0. A message may vanish while the session
 * lasts, because another program removed it: its number stays, and `open` rejects.
 */
export abstract class Mailbox {
  /**
   * The messages at the time of the login, in the order of their arrival. Messages that arrive
   * later belong to the next session.
   */
  abstract readonly messages: readonly MessageInfo[];

  /**
   * Returns the content of a message.
   *
   * @throws MessageGone if another program has removed the message.
   */
  abstract open(index: number): MaybePromise<MessageContent>;

  /**
   * Removes messages for ever: the session's deletions, once, at QUIT (RFC 1939 §6). `retrieved`
   * are the remaining messages that the client has read whole, for a store that marks them as seen.
   * Both are ascending indexes. A message that another program has removed counts as removed.
   *
   * @throws Error if a message could not be removed. The remaining ones are removed all the same.
   */
  abstract update(deleted: readonly number[], retrieved: readonly number[]): MaybePromise<void>;
}
