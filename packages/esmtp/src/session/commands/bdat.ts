import { isPromise } from '@postern/core';
import { CLOSING, OUT_OF_SEQUENCE, replyFor } from '../../error-replies.ts';
import { BdatMessage } from '../../message/bdat-message.ts';
import { DeliveryFailed } from '../../message/delivery-failed.ts';
import { TOO_LARGE } from '../../message/incoming-message.ts';
import { openMessage } from '../../message/open-message.ts';
import type { Command } from '../../protocol/command.ts';
import { Rejection, Reply } from '../../protocol/reply.ts';
import type { State } from '../state.ts';

/**
 * BDAT (RFC 3030 §2): a chunk of the message. It is heard to its last octet before anything is said, refused or not: what is not heard
 * as data would be heard as commands. A chunk of a size that no client means ends the connection instead.
 */
export async function bdat(
  state: State,
  { octets, last }: Extract<Command, { verb: 'BDAT' }>,
  outOfSequence: Reply | undefined,
): Promise<Reply | undefined> {
  if (octets > Math.max(state.limits.maxMessageSize, BEARABLE) || !Number.isSafeInteger(octets)) {
    state.closeReason = 'disconnected';
    return TOO_LARGE;
  }
  const refused = outOfSequence ?? refuseHere(state);
  const chunks = refused ?? (await begun(state));
  if (chunks instanceof BdatMessage) {
    await chunks.hear(octets);
    if (!last) return await chunks.acknowledge(octets);
    // Before the end: a connection that breaks meanwhile must not abort a message that may be kept.
    state.enterPhase('home');
    return await chunks.end();
  }
  // The first chunk has told of a message that could not be opened.
  if (refused === undefined) state.told = chunks;
  await state.conversation.hearBytes(octets, () => {});
  const { phase, settings, transaction } = state;
  const isLmtp = settings.protocol === 'lmtp';
  if (!last || (refused !== undefined && !(isLmtp && phase === 'mail'))) return chunks;
  // The last chunk of a message that could not be opened, or, in LMTP, that is for nobody.
  state.enterPhase('home');
  if (!isLmtp) return chunks;
  // RFC 2033 §4.3: as many replies as there are recipients, which may be none.
  for (const _ of transaction?.recipients ?? []) state.conversation.say(chunks.toString());
  if (chunks.code === CLOSING) state.closeReason = 'disconnected';
}

/** Why this client may not use BDAT at all, if it may not: after HELO there are no extensions. */
function refuseHere({ extended, settings }: State): Reply | undefined {
  if (settings.disabledExtensions.has('CHUNKING')) return NOT_HERE;
  return extended ? undefined : OUT_OF_SEQUENCE;
}

/** The message, which the first chunk opens; the refusal, if it cannot be opened. */
async function begun(state: State): Promise<BdatMessage | Reply> {
  const { transaction } = state;
  if (transaction === undefined) throw new Error('BDAT without a transaction');
  if (transaction.chunks === undefined) {
    transaction.chunks = await open(state);
    // Refused or not, up to RSET there are only chunks to come.
    state.enterPhase('chunks');
  }
  return transaction.chunks;
}

async function open(state: State): Promise<BdatMessage | Reply> {
  try {
    const opening = openMessage(state, state.transaction, 'BDAT');
    const intake = isPromise(opening) ? await opening : opening;
    const begun = intake.begin();
    if (begun !== undefined) await begun;
    return new BdatMessage(state, intake);
  } catch (error) {
    const trouble = error instanceof DeliveryFailed ? error.cause : error;
    if (!(trouble instanceof Rejection)) state.reportError('us', 'BDAT', trouble);
    return replyFor(error);
  }
}

const NOT_HERE = new Reply(502, '5.5.1', 'Command not implemented');
/** Octets that are heard and dropped, however small a message may be. */
const BEARABLE = 2 ** 30;
