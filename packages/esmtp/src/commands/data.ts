import type { HeardMessage } from '@postern/conversation';
import type { Login, MaybePromise } from '@postern/cred';
import type { Envelope, Message, MessageDelivery, Trace } from '../delivery.ts';
import { Intake } from '../intake.ts';
import { isPromise } from '../promise.ts';
import { formatReceived, withKeyword } from '../received.ts';
import type { Reply } from '../reply.ts';
import { DeliveryFailed, type State } from '../state.ts';

/** DATA (RFC 5321 §4.1.1.4): the message, from the client straight into the delivery. Whatever comes of it, the transaction is over. */
export async function data(state: State): Promise<Reply> {
  const { login, transaction } = state;
  if (login === undefined || transaction === undefined) throw new Error('DATA without a transaction');
  const { reversePath, parameters, recipients } = transaction;
  const envelope: Envelope = { reversePath, parameters, recipients, id: state.settings.nextId() };
  const field = receivedField(state, login, envelope);
  const opened = open(state, login.avatar, envelope);
  const intake = new Intake(state, envelope, isPromise(opened) ? await opened : opened);
  const heard = await hear(state, intake, field);
  state.go('home');
  const reply = intake.end(heard);
  return isPromise(reply) ? await reply : reply;
}

/** The client's data, which goes into the message; if there is no hearing it to its end, the message is given up. */
async function hear({ conversation }: State, intake: Intake, field: string | undefined): Promise<HeardMessage> {
  try {
    const begun = intake.begin(field);
    if (begun !== undefined) await begun;
    // It leaves at once, unless the client has not waited for it and the data is already here.
    conversation.say(GO_AHEAD);
    return await conversation.hearMessage(intake.take);
  } catch (error) {
    await intake.giveUp(error as Error);
    throw error;
  }
}

/** A message that the delivery opens too late is aborted: nobody waits for it any more. */
function open(state: State, avatar: MessageDelivery, envelope: Envelope): MaybePromise<Message> {
  let opening: MaybePromise<Message> | undefined;
  const opened = state.ask(() => {
    opening = avatar.openMessage(envelope);
    return opening;
  });
  if (!isPromise(opened)) return opened;
  return opened.catch((error: Error) => {
    if (opening !== undefined && isPromise(opening)) abandon(opening, error);
    throw error;
  });
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
  if (field !== undefined && !FIELD.test(field)) {
    throw new DeliveryFailed(new TypeError('receivedHeader made no header field'));
  }
  return field;
}

const GO_AHEAD = '354 End data with <CR><LF>.<CR><LF>\r\n';
/** One header field, perhaps folded (RFC 5322 §2.2). */
const FIELD = /^[!-9;-~]+:[^\r\n]*(?:\r\n[ \t][^\r\n]*)*$/;
