import type { MaybePromise } from '@postern/cred';
import { isPromise } from './promise.ts';
import { Reply } from './reply.ts';
import type { State } from './state.ts';

/** What became of a message: one answer for all of its recipients, or, in LMTP, one for each in their order. None of them rejects. */
export type Outcome = Reply | readonly MaybePromise<Reply>[];

/**
 * Answers the end of a message. SMTP has one reply, which this comes to; LMTP one for each recipient (RFC 2033 §4.2), which are said here,
 * each as soon as it is known.
 */
export function answerEnd(state: State, recipients: number, outcome: Outcome): MaybePromise<Reply | undefined> {
  if (outcome instanceof Reply && state.settings.protocol === 'smtp') return outcome;
  return sayEach(state, outcome instanceof Reply ? Array<Reply>(recipients).fill(outcome) : outcome);
}

async function sayEach(state: State, replies: readonly MaybePromise<Reply>[]): Promise<undefined> {
  const { conversation } = state;
  for (const reply of replies) {
    if (isPromise(reply)) await conversation.flush();
    const known = isPromise(reply) ? await reply : reply;
    conversation.say(known.toString());
    if (known.code === CLOSING) state.leaving = 'disconnected';
  }
}

/** RFC 5321 §3.8: the code after which the server closes. */
export const CLOSING = 421;
