import { beginEntry, type EntryWriter, writeSessionEntry } from '@postern/sasl-profile';
import type { DovecotAuthEvent } from '../events.ts';

/** Writes the log entry of an event, with the messages and fields of the other protocols. */
export function writeEntry(event: Exclude<DovecotAuthEvent, { kind: 'error' }>, entry: EntryWriter): void {
  if (event.kind === 'protocol-error') {
    beginEntry(entry, 'warn', 'protocol error', event.mind);
    entry.text('problem', event.problem);
  } else {
    writeSessionEntry(event, entry, (reply) => reply);
    entry.text('service', event.service);
  }
  entry.end();
}
