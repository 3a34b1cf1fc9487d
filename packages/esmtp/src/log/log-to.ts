import type { Console } from 'node:console';
import { type EventLogOptions, eventLog, type Logger } from '@postern/sasl-profile';
import type { EventListener } from '../events.ts';
import { writeEntry } from './write-entry.ts';

/** The options of {@link logTo}: bounds on the entries that one client causes. */
export interface LogToOptions extends EventLogOptions {
  /** Recipients that one entry names; the field `recipients` is the number of all. Default: 100. */
  readonly maxRecipients?: number;
}

/**
 * Returns a listener for the option `onEvent` that logs each event. A logger gets the fields and
 * the message. The console gets one line for each event, and errors of this server with their
 * stack.
 *
 * @example
 * ```ts
 * import type { Portal } from '@postern/cred';
 * import { esmtp, logTo } from '@postern/esmtp';
 * import { pino } from 'pino';
 *
 * declare const portal: Portal;
 * const protocol = esmtp({ hostname: 'mx.example.com', portal, onEvent: logTo(pino()) });
 * ```
 */
export function logTo(logger: Logger | Console, options: LogToOptions = {}): EventListener {
  const { maxRecipients = 100 } = options;
  return eventLog(logger, options, (event, entries) => writeEntry(event, entries, maxRecipients));
}
