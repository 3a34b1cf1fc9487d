import { Console } from 'node:console';
import { inspect } from 'node:util';
import type { Mind } from '@postern/cred';
import type { AnySessionEvent, SessionEvent } from '../session/session-event.ts';
import { type EntryWriter, FieldCollector, formatAddress } from './entry-writer.ts';
import { formatLogFields, type LogFields, printable } from './format-log-fields.ts';

/**
 * A logger such as pino or bunyan: each method gets the fields, then the message. An error is the
 * field `err`.
 */
export interface Logger {
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
}

/** Bounds on the log entries that one client causes. */
export interface EventLogOptions {
  /**
   * Refused commands, senders and recipients that are logged for one connection, and errors
   * likewise. The rest is counted, and the number logged when the connection closes. Refused logins
   * and messages are always logged. Default: 20.
   */
  readonly maxRefusals?: number;
  /**
   * Writes all entries without an error field, in place of the logger: it formats them without
   * objects. Default: the logger gets all entries.
   */
  readonly entries?: EntryWriter | undefined;
}

/**
 * Returns a listener that logs each event of a protocol by `write`. A logger gets the fields and
 * the message. The console gets one line for each event, and errors of this server with their
 * stack.
 */
export function eventLog<E extends AnySessionEvent>(
  logger: Logger | Console,
  options: EventLogOptions,
  write: (event: Exclude<E, { kind: 'error' }>, entries: EntryWriter) => void,
): (event: E) => void {
  const { maxRefusals = 20 } = options;
  const target = logger instanceof Console ? lineLogger(logger) : logger;
  const entries = options.entries ?? new FieldCollector((level, fields, message) => target[level](fields, message));
  const bounds = new EventBounds(maxRefusals);
  return (event) => {
    const { mind } = event;
    if (event.kind === 'closed') writeOmitted(entries, mind, bounds.omitted(mind));
    const verdict = bounds.countEvent(event);
    if (verdict === 'omit') return;
    if (isError(event)) logError(target, event);
    else write(event as Exclude<E, { kind: 'error' }>, entries);
    if (verdict === 'log-last') {
      entries.begin('warn', 'further ones on this connection are only counted');
      entries.address('remote', mind.remote);
      entries.end();
    }
  };
}

function isError(event: AnySessionEvent): event is ErrorEvent {
  return event.kind === 'error';
}

/** Logs a failure. An error of a client is no error of this server. */
function logError(logger: Logger, { mind, during, culprit, cause }: ErrorEvent): void {
  const level = culprit === 'client' ? 'info' : 'error';
  logger[level]({ remote: formatAddress(mind.remote), during, culprit, err: cause }, 'failure');
}

/** Writes the numbers of refusals and errors that were not logged, if there are any. */
function writeOmitted(entries: EntryWriter, mind: Mind, omitted: Counts | undefined): void {
  if (omitted === undefined) return;
  entries.begin('warn', 'refusals were not logged');
  entries.address('remote', mind.remote);
  entries.number('refusals', omitted.refusals);
  entries.number('errors', omitted.errors);
  entries.end();
}

/** Counts the events of each connection that its client can cause in any number. */
class EventBounds {
  readonly #maximum: number;
  readonly #counts = new WeakMap<Mind, Counts>();

  constructor(maximum: number) {
    this.#maximum = maximum;
  }

  /**
   * Counts an event. Returns whether it is to be logged: `log`, `log-last` for the last of its
   * kind, or `omit`.
   */
  countEvent({ kind, mind }: AnySessionEvent): 'log' | 'log-last' | 'omit' {
    switch (kind) {
      case 'command-refused':
      case 'sender-refused':
      case 'recipient-refused':
        return this.#verdict(++this.#countsOf(mind).refusals);
      case 'error':
        return this.#verdict(++this.#countsOf(mind).errors);
      default:
        return 'log';
    }
  }

  #verdict(count: number): 'log' | 'log-last' | 'omit' {
    if (count > this.#maximum) return 'omit';
    return count === this.#maximum ? 'log-last' : 'log';
  }

  #countsOf(mind: Mind): Counts {
    let counts = this.#counts.get(mind);
    if (counts === undefined) {
      counts = { refusals: 0, errors: 0 };
      this.#counts.set(mind, counts);
    }
    return counts;
  }

  /** Returns the numbers of omitted events; undefined if all were logged. */
  omitted(mind: Mind): Counts | undefined {
    const counts = this.#counts.get(mind);
    if (counts === undefined) return undefined;
    const [refusals, errors] = [counts.refusals - this.#maximum, counts.errors - this.#maximum];
    if (refusals <= 0 && errors <= 0) return undefined;
    return { refusals: Math.max(0, refusals), errors: Math.max(0, errors) };
  }
}

type ErrorEvent = Extract<SessionEvent, { kind: 'error' }>;

/** The numbers of a connection's events. */
type Counts = Record<'refusals' | 'errors', number>;

/** Returns a logger that writes each entry as one line for people. */
function lineLogger(console: Console): Logger {
  const line = (fields: LogFields, message: string): string => `${message} ${formatLogFields(fields)}`;
  return {
    info: (fields, message) => console.info(line(fields, message)),
    warn: (fields, message) => console.warn(line(fields, message)),
    error: (fields, message) => console.error(line(fields, message) + stackOf(fields['err'])),
  };
}

/** Returns the stack, indented: no line of it can pass for a line of the log. */
function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return '';
  const lines = inspect(error).split('\n');
  return lines.map((line) => `\n    ${printable(line)}`).join('');
}
