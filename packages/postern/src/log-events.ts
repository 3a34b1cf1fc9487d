import { type Envelope, type EventListener, formatAddress, type LogFields, logTo } from '@postern/esmtp';
import type { ListenerError } from '@postern/node';
import type { Log } from './log.ts';

/** Writes what happens on connections into the log. */
export function logEvents(log: Log): EventListener {
  const entry =
    (level: keyof Log) =>
    ({ err: error, ...fields }: LogFields, message: string): void =>
      log[level](message, error === undefined ? fields : { ...fields, error });
  return logTo({ info: entry('info'), warn: entry('warn'), error: entry('error') });
}

/** Writes what goes wrong at a listener, before and beside any session, into the log. */
export function logListenerError(log: Log, now = () => performance.now()): (trouble: ListenerError) => void {
  let quietUntil = Number.NEGATIVE_INFINITY;
  return (trouble) => {
    const remote = 'remote' in trouble ? formatAddress(trouble.remote) : undefined;
    switch (trouble.kind) {
      case 'handshake':
        return log.info('no TLS came about', { remote, error: trouble.error });
      case 'proxy':
        return log.warn('a proxy did not say whom it connects', { remote, error: trouble.error });
      case 'refused':
        return log.warn('turned away', { remote, excess: trouble.limit, omitted: trouble.omitted });
      case 'displaced':
        return log.warn('made room for another client', { remote, omitted: trouble.omitted });
      case 'protocol':
        return log.error('a session broke', { remote, error: trouble.error });
      case 'accept':
        // It comes for every connection, and again and again as long as one waits.
        if (now() < quietUntil) return;
        quietUntil = now() + QUIET;
        return log.error('cannot accept connections', { error: trouble.error });
      case 'cut-off':
        return log.warn('the grace is over, and connections are cut off', { connections: trouble.connections });
    }
  };
}

/** Writes into the log that the sender of a message could not be told what became of it. */
export function logUnsent(log: Log): (error: unknown, envelope: Envelope) => void {
  return (error, { id }) => log.error('a notification could not be sent', { id, culprit: 'operator', error });
}

/** For how long trouble that lasts is not told of again: milliseconds. */
const QUIET = 60_000;
