import type { HeardMessage } from '@postern/conversation';
import { after, type MaybePromise, settled } from '@postern/core';
import { OUT_OF_SEQUENCE } from '../../error-replies.ts';
import { BdatMessage } from '../../message/bdat-message.ts';
import type { IncomingMessage } from '../../message/incoming-message.ts';
import { openMessage } from '../../message/open-message.ts';
import { Reply } from '../../protocol/reply.ts';
import type { State } from '../state.ts';

/** DATA (RFC 5321 §4.1.1.4): the message, from the client straight into the delivery. Once heard, it ends the transaction. */
export function data(state: State): MaybePromise<Reply | undefined> {
  const { transaction } = state;
  if (transaction?.chunks !== undefined) return refuseBoth(transaction.chunks);
  if (transaction?.parameters.body === 'BINARYMIME') return NEEDS_BDAT;
  return after(openMessage(state, transaction, 'DATA'), (intake) =>
    settled(
      () => hear(state, intake),
      (heard) => {
        state.enterPhase('home');
        return intake.end(heard);
      },
      async (error) => {
        // There is no hearing it to its end.
        await intake.abortMessage(error as Error);
        throw error;
      },
    ),
  );
}

function hear({ conversation, settings }: State, intake: IncomingMessage): MaybePromise<HeardMessage> {
  return after(intake.begin(), () => {
    // It leaves at once, unless the client has not waited for it and the data is already here.
    conversation.say(GO_AHEAD);
    return settings.newlines === 'normalize'
      ? conversation.hearNormalizedMessage(intake.take)
      : conversation.hearMessage(intake.take);
  });
}

/** The message came in chunks so far. */
async function refuseBoth(chunks: BdatMessage | Reply): Promise<Reply> {
  if (chunks instanceof BdatMessage) await chunks.refuse(OUT_OF_SEQUENCE);
  return OUT_OF_SEQUENCE;
}

const GO_AHEAD = '354 End data with <CR><LF>.<CR><LF>\r\n';
const NEEDS_BDAT = new Reply(503, '5.5.1', 'BODY=BINARYMIME comes with BDAT');
