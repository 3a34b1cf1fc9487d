import type { AvatarId } from '@postern/cred';
import {
  beginEntry,
  boundedText,
  type EntryWriter,
  formatUser,
  type LogFields,
  writeSessionEntry,
} from '@postern/sasl-profile';
import type { Envelope, Recipient } from '../delivery.ts';
import type { EsmtpEvent, FailedRecipient, NextHopReply } from '../events.ts';
import type { ReversePath } from '../protocol/address.ts';
import type { Reply } from '../protocol/reply.ts';

/**
 * Writes the log entry of an event, with lists of at most `maxRecipients` recipients. The README of
 * the command documents the messages and fields.
 */
export function writeEntry(
  event: Exclude<EsmtpEvent, { kind: 'error' }>,
  entry: EntryWriter,
  maxRecipients: number,
): void {
  const { mind } = event;
  switch (event.kind) {
    case 'invalid-client-name':
      beginEntry(entry, 'info', 'the client gives a name that is no domain', mind);
      entry.text('name', event.name);
      break;
    case 'forwarded':
      beginEntry(entry, 'info', 'handed on by a trusted peer', mind);
      entry.address('peer', event.peer);
      break;
    case 'sender-refused':
      beginEntry(entry, 'info', 'sender refused', mind);
      entry.text('from', formatSender(event.sender));
      entry.text('user', formatUser(event.avatarId));
      entry.text('reply', formatReply(event.reply));
      break;
    case 'recipient-refused':
      beginEntry(entry, 'info', 'recipient refused', mind);
      entry.texts('to', [boundedText(String(event.recipient))]);
      if (event.sender !== undefined) entry.text('from', formatSender(event.sender));
      entry.text('user', formatUser(event.avatarId));
      entry.text('reply', formatReply(event.reply));
      break;
    case 'message-accepted': {
      const { failed, reply, nextHops } = event;
      if (failed.length === 0) beginEntry(entry, 'info', 'message accepted', mind);
      else beginEntry(entry, 'warn', 'message accepted, but not for all', mind);
      writeMessage(entry, event, maxRecipients);
      entry.number('size', event.octets);
      // The replies of next servers have the delivery's own reply already.
      if (nextHops.length > 0) entry.value('next', formatNextHops(nextHops, maxRecipients));
      else if (reply !== undefined) entry.text('reply', formatReply(reply));
      if (failed.length > 0) entry.value('failed', formatFailed(failed, maxRecipients));
      break;
    }
    case 'message-refused':
      beginEntry(entry, 'warn', 'message refused', mind);
      writeMessage(entry, event, maxRecipients);
      entry.text('reply', formatReply(event.reply));
      if (event.failed.length > 0) entry.value('failed', formatFailed(event.failed, maxRecipients));
      break;
    default:
      writeSessionEntry(event, entry, formatReply);
  }
  entry.end();
}

function writeMessage(
  entry: EntryWriter,
  { envelope, avatarId }: { readonly envelope: Envelope; readonly avatarId: AvatarId | undefined },
  maxRecipients: number,
): void {
  const { id, reversePath, recipients } = envelope;
  entry.text('id', id);
  entry.text('from', formatSender(reversePath));
  entry.texts('to', formatRecipients(recipients, maxRecipients));
  entry.number('recipients', recipients.length);
  entry.text('user', formatUser(avatarId));
}

function formatRecipients(recipients: readonly Recipient[], maxRecipients: number): readonly string[] {
  const [first] = recipients;
  // Most messages have one recipient.
  if (recipients.length === 1 && maxRecipients > 0 && first !== undefined) return [formatRecipient(first)];
  return recipients.slice(0, maxRecipients).map(formatRecipient);
}

function formatRecipient({ forwardPath }: Recipient): string {
  return boundedText(String(forwardPath));
}

function formatFailed(failed: readonly FailedRecipient[], maxRecipients: number): readonly LogFields[] {
  const shown = failed.slice(0, maxRecipients);
  return shown.map(({ recipient, reply }) => ({ to: boundedText(recipient), reply: formatReply(reply) }));
}

/** Names the recipients of each reply, unless one reply is for all. */
function formatNextHops(nextHops: readonly NextHopReply[], maxRecipients: number): readonly LogFields[] {
  return nextHops.slice(0, maxRecipients).map(({ host, reply, recipients }) => ({
    host,
    reply: formatReply(reply),
    ...(nextHops.length > 1 && { to: recipients.slice(0, maxRecipients).map(boundedText) }),
  }));
}

function formatSender(sender: ReversePath): string {
  return sender === null ? '<>' : boundedText(String(sender));
}

/** Formats a reply as one line: `550 5.1.1 No such user here`. */
function formatReply({ code, enhanced, lines }: Reply): string {
  const status = enhanced === undefined ? `${code}` : `${code} ${enhanced}`;
  return boundedText(`${status} ${lines.join(' ')}`);
}
