import type { Console } from 'node:console';
import { type EventLogOptions, eventLog, type Logger } from '@postern/sasl-profile';
import type { EventListener, Pop3Event } from '../events.ts';
import { writeEntry } from './write-entry.ts';

/** The options of {@link logTo}: bounds on the entries that one client causes. */
export type LogToOptions = EventLogOptions;

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
export function logTo(logger: Logger | Console, options: LogToOptions = {}): EventListener {
  return eventLog<Pop3Event>(logger, options, writeEntry);
}
