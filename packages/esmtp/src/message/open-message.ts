import { isPromise, type MaybePromise, toPromise } from '@postern/core';
import type { Login } from '@postern/cred';
import type { Envelope, Message, MessageDelivery } from '../delivery.ts';
import { replyFor } from '../error-replies.ts';
import { asDeliveryFailure, DeliveryFailed } from './delivery-failed.ts';
import { IncomingMessage } from './incoming-message.ts';
import { type MessageSession, reportMessageRefusal } from './message-session.ts';
import { receivedOctets, withKeyword } from './received.ts';

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
  const trace = receivedField(session, login, envelope);
  let opened: MaybePromise<Message>;
  try {
    opened = login.avatar.openMessage(envelope);
  } catch (error) {
    return refuse(session, envelope, asDeliveryFailure(error));
  }
  if (!isPromise(opened)) return begin(session, envelope, opened, trace, verb);
  return openInTime(session, toPromise(opened)).then(
    (message) => begin(session, envelope, message, trace, verb),
    (error: unknown) => refuse(session, envelope, error),
  );
}

function begin(
  session: MessageSession,
  envelope: Envelope,
  message: Message,
  trace: Buffer,
  verb: 'DATA' | 'BDAT',
): IncomingMessage {
  session.markBusy();
  return new IncomingMessage(session, envelope, message, trace, verb);
}

function refuse(session: MessageSession, envelope: Envelope, error: unknown): never {
  reportMessageRefusal(session, envelope, replyFor(error));
  throw error;
}

/** Aborts a message that the delivery opens after the timeout: the client already has its reply. */
async function openInTime(session: MessageSession, opening: Promise<Message>): Promise<Message> {
  try {
    return await session.inTime(opening);
  } catch (error) {
    opening.then((message) => message.abort(error as Error)).catch(() => {});
    throw error;
  }
}

/** Returns the octets of the field with its line end; none if the delivery wants no field. */
function receivedField(
  session: MessageSession,
  { avatar, avatarId }: Login<MessageDelivery>,
  envelope: Envelope,
): Buffer {
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
    return receivedOctets(session.receivedFields.get(trace), envelope, dates.format(Date.now()));
  }
  const field = avatar.receivedHeader({ ...trace, avatarId, envelope, date: new Date() });
  if (field !== undefined && !HEADER_FIELD.test(field)) {
    throw new DeliveryFailed(new TypeError('receivedHeader returned a text that is not one header field'));
  }
  return field === undefined ? NO_OCTETS : Buffer.from(`${field}\r\n`);
}

const NO_OCTETS = Buffer.alloc(0);
/** One header field, which may be folded (RFC 5322 §2.2). */
const HEADER_FIELD = /^[!-9;-~]+:[^\r\n]*(?:\r\n[ \t][^\r\n]*)*$/;
