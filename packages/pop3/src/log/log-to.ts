import type { Console } from 'node:console';
import { type EventLogOptions, eventLog, type Logger } from '@postern/sasl-profile';
import type { Pop3Event, Pop3EventListener } from '../events.ts';
import { writeEntry } from './write-entry.ts';

/**
 * Returns a listener for the option `onEvent` that logs each event. A logger gets the fields and
 * the message. The console gets one line for each event, and errors of this server with their
 * stack.
 *
 * @example
 * ```ts
 * import type { Portal } from '@postern/cred';
 * import { logTo, pop3 } from '@postern/pop3';
 * import { pino } from 'pino';
 *
 * declare const portal: Portal;
 * const protocol = pop3({ hostname: 'pop.example.com', portal, onEvent: logTo(pino()) });
 * ```
 */
export function logTo(logger: Logger | Console, options: EventLogOptions = {}): Pop3EventListener {
  return eventLog<Pop3Event>(logger, options, writeEntry);
}
