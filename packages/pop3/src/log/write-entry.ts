import { beginEntry, boundedText, type EntryWriter, formatUser, writeSessionEntry } from '@postern/sasl-profile';
import type { Pop3Event } from '../events.ts';

/**
 * Writes the log entry of an event. The README of the command documents the messages and fields.
 */
export function writeEntry(event: Exclude<Pop3Event, { kind: 'error' }>, entry: EntryWriter): void {
  if (event.kind === 'mailbox-closed') writeMailbox(event, entry);
  else writeSessionEntry(event, entry, boundedText);
  entry.end();
}

function writeMailbox(event: Extract<Pop3Event, { kind: 'mailbox-closed' }>, entry: EntryWriter): void {
  beginEntry(entry, 'info', 'mailbox closed', event.mind);
  entry.text('user', formatUser(event.avatarId));
  entry.text('reason', event.reason);
  entry.number('messages', event.messages);
  entry.number('retrieved', event.retrieved);
  entry.number('octets', event.octets);
  entry.number('deleted', event.deleted);
}
