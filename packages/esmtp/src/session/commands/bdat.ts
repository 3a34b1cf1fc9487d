import { isPromise } from '@postern/core';
import { CLOSING, OUT_OF_SEQUENCE, replyFor } from '../../error-replies.ts';
import { BdatMessage } from '../../message/bdat-message.ts';
import { DeliveryFailed } from '../../message/delivery-failed.ts';
import { TOO_LARGE } from '../../message/incoming-message.ts';
import { openMessage } from '../../message/open-message.ts';
import { type Command, UNIMPLEMENTED } from '../../protocol/command.ts';
import { Rejection, type Reply } from '../../protocol/reply.ts';
import type { State } from '../state.ts';

/**
 * BDAT (RFC 3030 §2): a chunk of the message. The server hears it to its last octet before it
 * replies, even to refuse it: octets that are not heard as data would be heard as commands. A chunk
 * of an implausible size closes the connection instead.
 */
export async function bdat(
  state: State,
  { octets, last }: Extract<Command, { verb: 'BDAT' }>,
  outOfSequence: Reply | undefined,
): Promise<Reply | undefined> {
  if (octets > Math.max(state.limits.maxMessageSize, MAX_IGNORED_OCTETS) || !Number.isSafeInteger(octets)) {
    state.closeReason = 'disconnected';
    return TOO_LARGE;
  }
  const refusal = outOfSequence ?? refusalHere(state);
  if (refusal !== undefined) return await ignoreChunk(state, octets, last, refusal);

  const message = await messageOf(state);
  const recipients = state.transaction?.recipients ?? [];
  if (message instanceof BdatMessage) {
    await message.hear(octets);
    // Before the end: a connection that breaks meanwhile must not abort a message that may be kept.
    state.advance();
    return await (last ? message.end() : message.acknowledge(octets));
  }
  // An event has reported the refusal of a message that could not be opened.
  state.reportedRefusal = message;
  await state.conversation.hearBytes(octets, () => {});
  state.advance();
  return last ? replyPerRecipient(state, recipients.length, message) : message;
}

/** Returns why this client may not send BDAT at all: after HELO there are no extensions. */
function refusalHere({ extended, settings }: State): Reply | undefined {
  if (settings.disabledExtensions.has('CHUNKING')) return UNIMPLEMENTED.refusal;
  return extended ? undefined : OUT_OF_SEQUENCE;
}

/** Hears a refused chunk, and returns the refusal. */
async function ignoreChunk(state: State, octets: number, last: boolean, refusal: Reply): Promise<Reply | undefined> {
  await state.conversation.hearBytes(octets, () => {});
  // In LMTP the last chunk ends a message without recipients: no recipient, no reply.
  if (!last || state.settings.protocol !== 'lmtp' || state.phase !== 'mail') return refusal;
  state.enterPhase('idle');
  return replyPerRecipient(state, 0, refusal);
}

/** LMTP has one reply for each recipient (RFC 2033 §4.3), SMTP one for all. */
function replyPerRecipient(state: State, recipients: number, reply: Reply): Reply | undefined {
  if (state.settings.protocol !== 'lmtp') return reply;
  for (let sent = 0; sent < recipients; sent++) state.conversation.say(reply.toString());
  if (reply.code === CLOSING) state.closeReason = 'disconnected';
  return undefined;
}

/**
 * Returns the message, which the first chunk opens, or the refusal of a message that could not be
 * opened.
 */
async function messageOf(state: State): Promise<BdatMessage | Reply> {
  const { transaction } = state;
  if (transaction === undefined) throw new Error('BDAT without a transaction');
  transaction.chunks ??= await open(state);
  return transaction.chunks;
}

async function open(state: State): Promise<BdatMessage | Reply> {
  try {
    const opening = openMessage(state, state.transaction, 'BDAT');
    const incoming = isPromise(opening) ? await opening : opening;
    const begun = incoming.begin();
    if (begun !== undefined) await begun;
    return new BdatMessage(state, incoming);
  } catch (error) {
    const cause = error instanceof DeliveryFailed ? error.cause : error;
    if (!(cause instanceof Rejection)) state.reportError('us', 'BDAT', cause);
    return replyFor(error);
  }
}

/** The largest chunk that is heard and ignored, however small the limit for messages is: 1 GiB. */
const MAX_IGNORED_OCTETS = 2 ** 30;
