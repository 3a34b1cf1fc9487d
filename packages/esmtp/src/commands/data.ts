import type { HeardMessage } from '@postern/conversation';
import { Chunks } from '../chunks.ts';
import { openIntake } from '../open-intake.ts';
import { isPromise } from '../promise.ts';
import { OUT_OF_SEQUENCE } from '../refusals.ts';
import { Reply } from '../reply.ts';
import type { State } from '../state.ts';

/** DATA (RFC 5321 §4.1.1.4): the message, from the client straight into the delivery. Whatever comes of it, the transaction is over. */
export async function data(state: State): Promise<Reply | undefined> {
  const { conversation, transaction } = state;
  if (transaction?.parameters.body === 'BINARYMIME') return NEEDS_BDAT;
  if (transaction?.chunks !== undefined) {
    if (transaction.chunks instanceof Chunks) await transaction.chunks.refuse(OUT_OF_SEQUENCE);
    return OUT_OF_SEQUENCE;
  }
  const opening = openIntake(state, 'DATA');
  const intake = isPromise(opening) ? await opening : opening;
  let heard: HeardMessage;
  try {
    const begun = intake.begin();
    if (begun !== undefined) await begun;
    // It leaves at once, unless the client has not waited for it and the data is already here.
    conversation.say(GO_AHEAD);
    heard = await conversation.hearMessage(intake.take);
  } catch (error) {
    // There is no hearing it to its end.
    await intake.giveUp(error as Error);
    throw error;
  }
  state.go('home');
  const reply = intake.end(heard);
  return isPromise(reply) ? await reply : reply;
}

const GO_AHEAD = '354 End data with <CR><LF>.<CR><LF>\r\n';
const NEEDS_BDAT = new Reply(503, '5.5.1', 'BODY=BINARYMIME comes with BDAT');
