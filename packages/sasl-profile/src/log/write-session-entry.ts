import { ANONYMOUS, type AvatarId, LoginDenied, type Mind } from '@postern/cred';
import type { SessionEvent } from '../session/session-event.ts';
import type { EntryWriter, LogLevel } from './entry-writer.ts';

/**
 * Writes the log entry of an event that all protocols share, but for its end: a protocol may add
 * fields. The README of the command documents the messages and fields.
 */
export function writeSessionEntry<R>(
  event: Exclude<SessionEvent<string, R>, { kind: 'error' }>,
  entry: EntryWriter,
  formatReply: (reply: R) => string,
): void {
  const { mind } = event;
  switch (event.kind) {
    case 'connected':
      beginEntry(entry, 'info', 'connected', mind);
      entry.address('local', mind.local);
      writeTls(entry, mind);
      break;
    case 'tls-started':
      beginEntry(entry, 'info', 'TLS started', mind);
      writeTls(entry, mind);
      break;
    case 'foreign-protocol':
      beginEntry(entry, 'info', FOREIGN_MESSAGES[event.protocol], mind);
      entry.text('reply', formatReply(event.reply));
      break;
    case 'authenticated':
      beginEntry(entry, 'info', 'logged in', mind);
      entry.text('mechanism', event.mechanism);
      entry.text('user', formatUser(event.avatarId));
      break;
    case 'login-refused':
      beginEntry(entry, 'info', 'login refused', mind);
      writeRefusedLogin(entry, event, formatReply(event.reply));
      break;
    case 'command-refused':
      beginEntry(entry, 'info', 'command refused', mind);
      entry.text('command', event.verb);
      entry.text('reply', formatReply(event.reply));
      break;
    case 'closed':
      beginEntry(entry, 'info', 'closed', mind);
      entry.text('reason', event.reason);
      if (event.reply !== undefined) entry.text('reply', formatReply(event.reply));
      break;
  }
}

/** Begins an entry about a client, with its address. */
export function beginEntry(entry: EntryWriter, level: LogLevel, message: string, { remote }: Mind): void {
  entry.begin(level, message);
  entry.address('remote', remote);
}

/** Returns the user name for a log entry. */
export function formatUser(avatarId: AvatarId | undefined): string | undefined {
  return avatarId === ANONYMOUS ? 'anonymous' : avatarId;
}

/** Returns at most 500 characters of a text that a client may have sent. */
export function boundedText(text: string): string {
  return text.length <= MAX_TEXT_LENGTH ? text : `${text.slice(0, MAX_TEXT_LENGTH)}…`;
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
  { mechanism, error, username }: Extract<SessionEvent, { kind: 'login-refused' }>,
  reply: string,
): void {
  entry.text('mechanism', mechanism);
  entry.text('code', error.code);
  if (error instanceof LoginDenied) {
    const { reason, retryAfter } = error;
    entry.text('reason', reason);
    if (retryAfter !== undefined) entry.text('until', new Date(Date.now() + retryAfter).toISOString());
  }
  entry.text('reply', reply);
  if (username !== undefined) entry.text('username', boundedText(username));
}

const FOREIGN_MESSAGES = { TLS: 'a TLS client on a plain port', HTTP: 'an HTTP client on a mail port' } as const;
const MAX_TEXT_LENGTH = 500;
