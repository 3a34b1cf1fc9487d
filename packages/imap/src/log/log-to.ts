import type { Console } from 'node:console';
import { type EventLogOptions, eventLog, type Logger, writeProxyEntry } from '@postern/sasl-profile';
import type { EventListener } from '../events.ts';

/** The options of {@link logTo}: bounds on the entries that one client causes. */
export type LogToOptions = EventLogOptions;

/**
 * Returns a listener for the option `onEvent` that logs each event. A logger gets the fields and
 * the message. The console gets one line for each event, and errors of this server with their
 * stack.
 */
export function logTo(logger: Logger | Console, options: LogToOptions = {}): EventListener {
  return eventLog(logger, options, writeProxyEntry);
}
