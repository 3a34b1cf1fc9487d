import type { Login, MaybePromise } from '@postern/cred';
import type { Envelope, Message, MessageDelivery, Trace } from '../delivery.ts';
import { Intake } from '../intake.ts';
import { isPromise } from '../promise.ts';
import { formatReceived, withKeyword } from '../received.ts';
import type { Reply } from '../reply.ts';
import type { State } from '../state.ts';

/** DATA (RFC 5321 §4.1.1.4): the message, from the client straight into the delivery. Whatever comes of it, the transaction is over. */
export async function data(state: State): Promise<Reply> {
  const { conversation, login, transaction } = state;
  if (login === undefined || transaction === undefined) throw new Error('DATA without a transaction');
  const envelope: Envelope = { ...transaction, id: state.settings.nextId() };
  const field = await state.ask(() => receivedField(state, login, envelope));
  const intake = new Intake(state, envelope, await open(state, login.avatar, envelope));
  try {
    await intake.begin(field);
    // It leaves at once, unless the client has not waited for it and the data is already here.
    conversation.say(GO_AHEAD);
    const heard = await conversation.hearMessage(intake.take);
    state.go('home');
    return await intake.end(heard);
  } catch (error) {
    await intake.giveUp(error as Error);
    throw error;
  }
}

/** A message that the delivery opens too late is aborted: nobody waits for it any more. */
async function open(state: State, avatar: MessageDelivery, envelope: Envelope): Promise<Message> {
  let opening: MaybePromise<Message> | undefined;
  try {
    return await state.ask(() => {
      opening = avatar.openMessage(envelope);
      return opening;
    });
  } catch (error) {
    if (opening !== undefined && isPromise(opening)) abandon(opening, error as Error);
    throw error;
  }
}

function abandon(opening: Promise<Message>, reason: Error): void {
  opening.then((message) => message.abort(reason)).catch(() => {});
}

function receivedField(
  state: State,
  { avatar, avatarId }: Login<MessageDelivery>,
  envelope: Envelope,
): string | undefined {
  const { mind, settings, extended, authenticated } = state;
  const { smtpUtf8 } = envelope.parameters;
  const protocol = withKeyword({ extended, smtpUtf8, tls: mind.tls !== undefined, authenticated });
  const trace: Trace = { mind, avatarId, hostname: settings.hostname, protocol, envelope, date: new Date() };
  if (avatar.receivedHeader === undefined) return formatReceived(trace);
  const field = avatar.receivedHeader(trace);
  if (field !== undefined && !FIELD.test(field)) throw new TypeError('receivedHeader made no header field');
  return field;
}

const GO_AHEAD = '354 End data with <CR><LF>.<CR><LF>\r\n';
/** One header field, perhaps folded (RFC 5322 §2.2). */
const FIELD = /^[!-9;-~]+:[^\r\n]*(?:\r\n[ \t][^\r\n]*)*$/;
