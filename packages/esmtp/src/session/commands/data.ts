import type { HeardMessage } from '@postern/conversation';
import { after, type MaybePromise, settled } from '@postern/core';
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
  return after(openMessage(state, transaction, 'DATA'), (message) =>
    settled(
      () => hear(state, message),
      (heard) => {
        // Before the end: a connection that breaks meanwhile must not abort a message that may be
        // kept.
        state.advance();
        return message.end(heard);
      },
      async (error) => {
        await message.abortMessage(error as Error);
        throw error;
      },
    ),
  );
}

function hear({ conversation, settings }: State, message: IncomingMessage): MaybePromise<HeardMessage> {
  return after(message.begin(), () => {
    conversation.say(GO_AHEAD);
    return settings.newlines === 'normalize'
      ? conversation.hearNormalizedMessage(message.take)
      : conversation.hearMessage(message.take);
  });
}

/** Refuses DATA behind BDAT together with the message (RFC 3030 §2). */
async function refuseBoth(chunks: BdatMessage | Reply): Promise<Reply> {
  if (chunks instanceof BdatMessage) await chunks.refuse(OUT_OF_SEQUENCE);
  return OUT_OF_SEQUENCE;
}

const GO_AHEAD = '354 End data with <CR><LF>.<CR><LF>\r\n';
const NEEDS_BDAT = new Reply(503, '5.5.1', 'BODY=BINARYMIME requires BDAT');
