import type { Console } from 'node:console';
import { type EventLogOptions, eventLog, type Logger } from '@postern/sasl-profile';
import type { DovecotAuthEvent, DovecotAuthListener } from '../events.ts';
import { writeEntry } from './write-entry.ts';

/**
 * Returns a listener for the option `onEvent` of `dovecotAuth` and `dovecotUserdb` that logs each
 * event. A logger gets the fields and the message. The console gets one line for each event, and
 * errors of this server with their stack.
 */
export function logTo(logger: Logger | Console, options: EventLogOptions = {}): DovecotAuthListener {
  return eventLog<DovecotAuthEvent>(logger, options, writeEntry);
}
