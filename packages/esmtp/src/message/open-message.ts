import { isPromise, type MaybePromise, settled } from '@postern/core';
import type { Login } from '@postern/cred';
import type { Envelope, Message, MessageDelivery } from '../delivery.ts';
import { replyFor } from '../error-replies.ts';
import { DeliveryFailed } from './delivery-failed.ts';
import { IncomingMessage } from './incoming-message.ts';
import { type MessageSession, reportMessageRefusal } from './message-session.ts';
import { completeReceived, withKeyword } from './received.ts';

/** Opens the message of a transaction. Fails as {@link MessageSession.ask} does. */
export function openMessage(
  state: MessageSession,
  transaction: Omit<Envelope, 'id'> | undefined,
  during: 'DATA' | 'BDAT',
): MaybePromise<IncomingMessage> {
  const { login } = state;
  if (login === undefined || transaction === undefined) throw new Error(`${during} without a transaction`);
  const { reversePath, parameters, recipients } = transaction;
  const envelope: Envelope = { reversePath, parameters, recipients, id: state.settings.nextId() };
  const field = receivedField(state, login, envelope);
  return settled(
    () => open(state, login.avatar, envelope),
    (message) => {
      state.markBusy();
      return new IncomingMessage(state, envelope, message, field, during);
    },
    (error) => {
      reportMessageRefusal(state, envelope, replyFor(error));
      throw error;
    },
  );
}

/** A message that the delivery opens too late is aborted: nobody waits for it any more. */
function open(state: MessageSession, avatar: MessageDelivery, envelope: Envelope): MaybePromise<Message> {
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
  state: MessageSession,
  { avatar, avatarId }: Login<MessageDelivery>,
  envelope: Envelope,
): string | undefined {
  const { mind, settings, authenticated } = state;
  const { forwarded } = mind;
  const { smtpUtf8 } = envelope.parameters;
  const lmtp = settings.protocol === 'lmtp';
  // The client may have greeted the peer that hands it on otherwise than that one greets us.
  const extended = state.extended && forwarded?.protocol !== 'SMTP';
  const protocol = withKeyword({ lmtp, extended, smtpUtf8, tls: mind.tls !== undefined, authenticated });
  const { hostname } = state;
  const { dates, omitClientFromReceived: omitClient } = settings;
  const remoteName = forwarded?.name;
  if (avatar.receivedHeader === undefined) {
    const beginning = state.receivedFields.of({ mind, remoteName, omitClient, hostname, protocol });
    return completeReceived(beginning, mind, envelope, dates.format(Date.now()));
  }
  const way = { mind, remoteName, omitClient, hostname, protocol };
  const field = avatar.receivedHeader({ ...way, avatarId, envelope, date: new Date() });
  if (field !== undefined && !FIELD.test(field)) {
    throw new DeliveryFailed(new TypeError('receivedHeader made no header field'));
  }
  return field;
}

/** One header field, perhaps folded (RFC 5322 §2.2). */
const FIELD = /^[!-9;-~]+:[^\r\n]*(?:\r\n[ \t][^\r\n]*)*$/;
