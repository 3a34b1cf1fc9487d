import {
  type EntryWriter,
  type Envelope,
  formatAddress,
  type LogFields,
  type Logger,
  type LogLevel,
} from '@postern/esmtp';
import type { ListenerError } from '@postern/node';
import { type Log, silentLog } from './log.ts';

/**
 * Returns a listener that writes the events of connections into the log, by the `logTo` of their
 * protocol.
 */
export function logEvents<E>(log: Log, logTo: LogTo<E>): (event: E) => void {
  if (log === silentLog) return () => {};
  const entry =
    (level: LogLevel) =>
    ({ err: error, ...fields }: LogFields, message: string): void =>
      log[level](message, error === undefined ? fields : { ...fields, error });
  const logger = { info: entry('info'), warn: entry('warn'), error: entry('error') };
  return logTo(logger, { entries: log.entries });
}

/** The function `logTo` of a protocol's package. */
export type LogTo<E> = (logger: Logger, options: { readonly entries?: EntryWriter | undefined }) => (event: E) => void;

/** Returns a function that writes the errors of a listener, outside any session, into the log. */
export function logListenerError(log: Log, now = () => performance.now()): (error: ListenerError) => void {
  let quietUntil = Number.NEGATIVE_INFINITY;
  return (event) => {
    const remote = 'remote' in event ? formatAddress(event.remote) : undefined;
    switch (event.kind) {
      case 'handshake':
        return log.info('TLS handshake failed', { remote, error: event.error });
      case 'proxy':
        return log.warn('invalid PROXY header', { remote, error: event.error });
      case 'refused':
        return log.warn('connection rejected', { remote, limit: event.limit, omitted: event.omitted });
      case 'displaced':
        return log.warn('closed to make room for another client', { remote, omitted: event.omitted });
      case 'protocol':
        return log.error('a session failed', { remote, error: event.error });
      case 'accept':
        // The system reports the error for every connection, repeatedly while one waits.
        if (now() < quietUntil) return;
        quietUntil = now() + REPEAT_QUIET_MS;
        return log.error('cannot accept connections', { error: event.error });
      case 'cut-off':
        return log.warn('the shutdown timeout is over, and connections are cut off', {
          connections: event.connections,
        });
    }
  };
}

/** Returns a function that writes the failure of a notification to a sender into the log. */
export function logUnsentNotification(log: Log): (error: unknown, envelope: Envelope) => void {
  return (error, { id }) => log.error('a notification could not be sent', { id, culprit: 'operator', error });
}

/** A lasting error is logged once in this time. */
const REPEAT_QUIET_MS = 60_000;
