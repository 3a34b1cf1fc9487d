import type { ProxyEvent } from '../proxy/proxy-session.ts';
import type { EntryWriter } from './entry-writer.ts';
import { beginEntry, boundedText, formatUser, writeSessionEntry } from './write-session-entry.ts';

/** Writes the log entry of an event of a proxied protocol. */
export function writeProxyEntry<V extends string>(
  event: Exclude<ProxyEvent<V>, { kind: 'error' }>,
  entry: EntryWriter,
): void {
  if (event.kind === 'proxied') {
    beginEntry(entry, 'info', 'proxied session ended', event.mind);
    entry.text('user', formatUser(event.avatarId));
    entry.number('received', event.received);
    entry.number('sent', event.sent);
    entry.number('duration', event.duration);
    entry.text('reason', event.reason);
  } else writeSessionEntry(event, entry, boundedText);
  entry.end();
}
