import type { MaybePromise } from '@postern/core';
import type { Reply } from '../protocol/reply.ts';

/**
 * The result of a command: its reply; undefined if the command has sent its replies itself;
 * {@link LATER} if the command passes its reply to the {@link ReplyReceiver} of the session.
 */
export type ReplyResult = MaybePromise<Reply | undefined> | typeof LATER;

/** The result of a command that makes no promise of its reply: DATA, in most messages. */
export const LATER: unique symbol = Symbol('the reply comes later');

/** Receives the reply of a command whose result was {@link LATER}. */
export interface ReplyReceiver {
  resolve(reply: MaybePromise<Reply | undefined>): void;
}
