import { ANONYMOUS, type AvatarId, LoginDenied, type Mind } from '@postern/cred';
import type { Envelope, Recipient } from '../delivery.ts';
import type { EsmtpEvent, FailedRecipient, NextHopReply } from '../events.ts';
import type { ReversePath } from '../protocol/address.ts';
import type { Reply } from '../protocol/reply.ts';
import type { EntryWriter, LogLevel } from './entry-writer.ts';
import type { LogFields } from './format-log-fields.ts';

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
    case 'connected':
      begin(entry, 'info', 'connected', mind);
      entry.address('local', mind.local);
      writeTls(entry, mind);
      break;
    case 'tls-started':
      begin(entry, 'info', 'TLS started', mind);
      writeTls(entry, mind);
      break;
    case 'invalid-client-name':
      begin(entry, 'info', 'the client gives a name that is no domain', mind);
      entry.text('name', event.name);
      break;
    case 'forwarded':
      begin(entry, 'info', 'handed on by a trusted peer', mind);
      entry.address('peer', event.peer);
      break;
    case 'foreign-protocol':
      begin(entry, 'info', FOREIGN_MESSAGES[event.protocol], mind);
      entry.text('reply', formatReply(event.reply));
      break;
    case 'authenticated':
      begin(entry, 'info', 'logged in', mind);
      entry.text('mechanism', event.mechanism);
      entry.text('user', formatUser(event.avatarId));
      break;
    case 'login-refused':
      begin(entry, 'info', 'login refused', mind);
      writeRefusedLogin(entry, event);
      break;
    case 'sender-refused':
      begin(entry, 'info', 'sender refused', mind);
      entry.text('from', formatSender(event.sender));
      entry.text('user', formatUser(event.avatarId));
      entry.text('reply', formatReply(event.reply));
      break;
    case 'recipient-refused':
      begin(entry, 'info', 'recipient refused', mind);
      entry.texts('to', [bounded(String(event.recipient))]);
      if (event.sender !== undefined) entry.text('from', formatSender(event.sender));
      entry.text('user', formatUser(event.avatarId));
      entry.text('reply', formatReply(event.reply));
      break;
    case 'command-refused':
      begin(entry, 'info', 'command refused', mind);
      entry.text('command', event.verb);
      entry.text('reply', formatReply(event.reply));
      break;
    case 'message-accepted': {
      const { failed, reply, nextHops } = event;
      if (failed.length === 0) begin(entry, 'info', 'message accepted', mind);
      else begin(entry, 'warn', 'message accepted, but not for all', mind);
      writeMessage(entry, event, maxRecipients);
      entry.number('size', event.octets);
      // The replies of next servers have the delivery's own reply already.
      if (nextHops.length > 0) entry.value('next', formatNextHops(nextHops, maxRecipients));
      else if (reply !== undefined) entry.text('reply', formatReply(reply));
      if (failed.length > 0) entry.value('failed', formatFailed(failed, maxRecipients));
      break;
    }
    case 'message-refused':
      begin(entry, 'warn', 'message refused', mind);
      writeMessage(entry, event, maxRecipients);
      entry.text('reply', formatReply(event.reply));
      if (event.failed.length > 0) entry.value('failed', formatFailed(event.failed, maxRecipients));
      break;
    case 'closed':
      begin(entry, 'info', 'closed', mind);
      entry.text('reason', event.reason);
      if (event.reply !== undefined) entry.text('reply', formatReply(event.reply));
      break;
  }
  entry.end();
}

function begin(entry: EntryWriter, level: LogLevel, message: string, { remote }: Mind): void {
  entry.begin(level, message);
  entry.address('remote', remote);
}

/** Writes the fields by which an operator finds weak TLS later (RFC 8314 §4.3). */
function writeTls(entry: EntryWriter, { tls }: Mind): void {
  if (tls === undefined) return;
  entry.text('version', tls.version);
  entry.text('cipher', tls.cipher);
}

/**
 * Writes the user name last, because it is the client's text. fail2ban filters depend on this
 * entry.
 */
function writeRefusedLogin(
  entry: EntryWriter,
  { mechanism, error, reply, username }: Extract<EsmtpEvent, { kind: 'login-refused' }>,
): void {
  entry.text('mechanism', mechanism);
  entry.text('code', error.code);
  if (error instanceof LoginDenied) {
    const { reason, retryAfter } = error;
    entry.text('reason', reason);
    if (retryAfter !== undefined) entry.text('until', new Date(Date.now() + retryAfter).toISOString());
  }
  entry.text('reply', formatReply(reply));
  if (username !== undefined) entry.text('username', bounded(username));
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
  return bounded(String(forwardPath));
}

function formatFailed(failed: readonly FailedRecipient[], maxRecipients: number): readonly LogFields[] {
  const shown = failed.slice(0, maxRecipients);
  return shown.map(({ recipient, reply }) => ({ to: bounded(recipient), reply: formatReply(reply) }));
}

/** Names the recipients of each reply, unless one reply is for all. */
function formatNextHops(nextHops: readonly NextHopReply[], maxRecipients: number): readonly LogFields[] {
  return nextHops.slice(0, maxRecipients).map(({ host, reply, recipients }) => ({
    host,
    reply: formatReply(reply),
    ...(nextHops.length > 1 && { to: recipients.slice(0, maxRecipients).map(bounded) }),
  }));
}

function formatUser(avatarId: AvatarId | undefined): string | undefined {
  return avatarId === ANONYMOUS ? 'anonymous' : avatarId;
}

function formatSender(sender: ReversePath): string {
  return sender === null ? '<>' : bounded(String(sender));
}

/** Formats a reply as one line: `550 5.1.1 No such user here`. */
function formatReply({ code, enhanced, lines }: Reply): string {
  const status = enhanced === undefined ? `${code}` : `${code} ${enhanced}`;
  return bounded(`${status} ${lines.join(' ')}`);
}

function bounded(text: string): string {
  return text.length <= MAX_TEXT_LENGTH ? text : `${text.slice(0, MAX_TEXT_LENGTH)}…`;
}

const FOREIGN_MESSAGES = { TLS: 'a TLS client on a plain port', HTTP: 'an HTTP client on a mail port' } as const;
const MAX_TEXT_LENGTH = 500;
