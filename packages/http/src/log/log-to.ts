import type { Console } from 'node:console';
import { type EventLogOptions, eventLog, type Logger, type SessionListener } from '@postern/sasl-profile';
import type { HttpAuthEvent } from '../events.ts';
import type { NginxMailEvent } from '../nginx/nginx-mail.ts';
import { writeEntry } from './write-entry.ts';

/**
 * Returns a listener for the option `onEvent` of `httpAuth` and `nginxMail` that logs each event. A
 * logger gets the fields and the message. The console gets one line for each event, and errors of
 * this server with their stack.
 */
export function logTo(
  logger: Logger | Console,
  options: EventLogOptions = {},
): SessionListener<HttpAuthEvent | NginxMailEvent> {
  return eventLog<HttpAuthEvent | NginxMailEvent>(logger, options, writeEntry);
}
