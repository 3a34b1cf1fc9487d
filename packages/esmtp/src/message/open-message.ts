import { isPromise, type MaybePromise, settled } from '@postern/core';
import type { Login } from '@postern/cred';
import type { Envelope, Message, MessageDelivery } from '../delivery.ts';
import { replyFor } from '../error-replies.ts';
import { DeliveryFailed } from './delivery-failed.ts';
import { IncomingMessage } from './incoming-message.ts';
import { type MessageSession, reportMessageRefusal } from './message-session.ts';
import { completeReceived, withKeyword } from './received.ts';

/**
 * Opens a message of the delivery for a transaction, at its DATA or its first BDAT. Fails as
 * {@link MessageSession.ask} does.
 */
export function openMessage(
  session: MessageSession,
  transaction: Omit<Envelope, 'id'> | undefined,
  verb: 'DATA' | 'BDAT',
): MaybePromise<IncomingMessage> {
  const { login } = session;
  if (login === undefined || transaction === undefined) throw new Error(`${verb} without a transaction`);
  const { reversePath, parameters, recipients } = transaction;
  const envelope: Envelope = { reversePath, parameters, recipients, id: session.settings.nextId() };
  const field = receivedField(session, login, envelope);
  return settled(
    () => openInTime(session, login.avatar, envelope),
    (message) => {
      session.markBusy();
      return new IncomingMessage(session, envelope, message, field, verb);
    },
    (error) => {
      reportMessageRefusal(session, envelope, replyFor(error));
      throw error;
    },
  );
}

/** Aborts a message that the delivery opens after the timeout: the client already has its reply. */
function openInTime(session: MessageSession, avatar: MessageDelivery, envelope: Envelope): MaybePromise<Message> {
  let opening: MaybePromise<Message> | undefined;
  const opened = session.ask(() => {
    opening = avatar.openMessage(envelope);
    return opening;
  });
  if (!isPromise(opened)) return opened;
  return opened.catch((error: Error) => {
    if (opening !== undefined && isPromise(opening)) {
      opening.then((message) => message.abort(error)).catch(() => {});
    }
    throw error;
  });
}

function receivedField(
  session: MessageSession,
  { avatar, avatarId }: Login<MessageDelivery>,
  envelope: Envelope,
): string | undefined {
  const { mind, settings, authenticated } = session;
  const { forwarded } = mind;
  const { smtpUtf8 } = envelope.parameters;
  const lmtp = settings.protocol === 'lmtp';
  // XCLIENT: the client may have used HELO with the proxy, which itself uses EHLO with this server.
  const extended = session.extended && forwarded?.protocol !== 'SMTP';
  const protocol = withKeyword({ lmtp, extended, smtpUtf8, tls: mind.tls !== undefined, authenticated });
  const { hostname } = session;
  const { dates, omitClientFromReceived: omitClient } = settings;
  const trace = { mind, remoteName: forwarded?.name, omitClient, hostname, protocol };
  if (avatar.receivedHeader === undefined) {
    return completeReceived(session.receivedFields.get(trace), mind, envelope, dates.format(Date.now()));
  }
  const field = avatar.receivedHeader({ ...trace, avatarId, envelope, date: new Date() });
  if (field !== undefined && !HEADER_FIELD.test(field)) {
    throw new DeliveryFailed(new TypeError('receivedHeader returned a text that is not one header field'));
  }
  return field;
}

/** One header field, which may be folded (RFC 5322 §2.2). */
const HEADER_FIELD = /^[!-9;-~]+:[^\r\n]*(?:\r\n[ \t][^\r\n]*)*$/;
