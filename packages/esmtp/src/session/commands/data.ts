import type { HeardMessage } from '@postern/conversation';
import { isPromise, type MaybePromise } from '@postern/core';
import { OUT_OF_SEQUENCE } from '../../error-replies.ts';
import { BdatMessage } from '../../message/bdat-message.ts';
import type { IncomingMessage } from '../../message/incoming-message.ts';
import { openMessage } from '../../message/open-message.ts';
import { Reply } from '../../protocol/reply.ts';
import type { State } from '../state.ts';

/** DATA (RFC 5321 §4.1.1.4): opens the message, and hears it into the delivery, chunk by chunk. */
export function data(state: State): MaybePromise<Reply | undefined> {
  const { transaction } = state;
  if (transaction?.chunks !== undefined) return refuseBoth(transaction.chunks);
  if (transaction?.parameters.body === 'BINARYMIME') return NEEDS_BDAT;
  const opened = openMessage(state, transaction, 'DATA');
  return isPromise(opened) ? opened.then((message) => receive(state, message)) : receive(state, opened);
}

/** Hears the message into the delivery, and ends it. */
function receive(state: State, message: IncomingMessage): MaybePromise<Reply | undefined> {
  let heard: MaybePromise<HeardMessage>;
  try {
    const begun = message.begin();
    heard = begun === undefined ? hear(state, message) : begun.then(() => hear(state, message));
  } catch (error) {
    return abort(message, error);
  }
  if (!isPromise(heard)) return end(state, message, heard);
  return heard.then(
    (facts) => end(state, message, facts),
    (error: unknown) => abort(message, error),
  );
}

function hear({ conversation, settings }: State, message: IncomingMessage): MaybePromise<HeardMessage> {
  conversation.say(GO_AHEAD);
  return settings.newlines === 'normalize'
    ? conversation.hearNormalizedMessage(message.take)
    : conversation.hearMessage(message.take);
}

function end(state: State, message: IncomingMessage, heard: HeardMessage): MaybePromise<Reply | undefined> {
  // Before the end: a connection that breaks meanwhile must not abort a message that may be kept.
  state.advance();
  return message.end(heard);
}

async function abort(message: IncomingMessage, error: unknown): Promise<never> {
  await message.abortMessage(error as Error);
  throw error;
}

/** Refuses DATA behind BDAT together with the message (RFC 3030 §2). */
async function refuseBoth(chunks: BdatMessage | Reply): Promise<Reply> {
  if (chunks instanceof BdatMessage) await chunks.refuse(OUT_OF_SEQUENCE);
  return OUT_OF_SEQUENCE;
}

const GO_AHEAD = '354 End data with <CR><LF>.<CR><LF>\r\n';
const NEEDS_BDAT = new Reply(503, '5.5.1', 'BODY=BINARYMIME requires BDAT');
