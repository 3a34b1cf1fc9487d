import { Console } from 'node:console';
import { inspect } from 'node:util';
import type { Mind } from '@postern/cred';
import type { EsmtpEvent, EventListener } from '../events.ts';
import { type Entry, entryOf, formatAddress } from './entry-of.ts';
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

/** The options of {@link logTo}: bounds on the entries that one client causes. */
export interface LogToOptions {
  /**
   * Refused commands, senders and recipients that are logged for one connection, and errors
   * likewise. The rest is counted, and the number logged when the connection closes. Refused logins
   * and messages are always logged. Default: 20.
   */
  readonly maxRefusals?: number;
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
  const { maxRefusals = 20, maxRecipients = 100 } = options;
  const target = logger instanceof Console ? lineLogger(logger) : logger;
  const bounds = new EventBounds(maxRefusals);
  const write = (mind: Mind, { level, message, fields }: Entry): void =>
    target[level]({ remote: formatAddress(mind.remote), ...fields }, message);
  return (event) => {
    const { mind } = event;
    const omitted = event.kind === 'closed' ? bounds.omitted(mind) : undefined;
    if (omitted !== undefined) write(mind, { level: 'warn', message: 'refusals were not logged', fields: omitted });
    const verdict = bounds.countEvent(event);
    if (verdict !== 'omit') write(mind, entryOf(event, maxRecipients));
    if (verdict === 'log-last')
      write(mind, { level: 'warn', message: 'further ones on this connection are only counted' });
  };
}

/** Counts the events of each connection that its client can cause in any number. */
class EventBounds {
  readonly #maximum: number;
  readonly #counts = new WeakMap<Mind, Record<Counter, number>>();

  constructor(maximum: number) {
    this.#maximum = maximum;
  }

  /**
   * Counts an event. Returns whether it is to be logged: `log`, `log-last` for the last of its
   * kind, or `omit`.
   */
  countEvent({ kind, mind }: EsmtpEvent): 'log' | 'log-last' | 'omit' {
    const counter = COUNTERS.get(kind);
    if (counter === undefined) return 'log';
    let counts = this.#counts.get(mind);
    if (counts === undefined) {
      counts = { refusals: 0, errors: 0 };
      this.#counts.set(mind, counts);
    }
    counts[counter]++;
    if (counts[counter] > this.#maximum) return 'omit';
    return counts[counter] === this.#maximum ? 'log-last' : 'log';
  }

  /** Returns the numbers of omitted events; undefined if all were logged. */
  omitted(mind: Mind): LogFields | undefined {
    const counts = this.#counts.get(mind);
    if (counts === undefined) return undefined;
    const [refusals, errors] = [counts.refusals - this.#maximum, counts.errors - this.#maximum];
    if (refusals <= 0 && errors <= 0) return undefined;
    return { refusals: Math.max(0, refusals), errors: Math.max(0, errors) };
  }
}

type Counter = 'refusals' | 'errors';

const COUNTERS: ReadonlyMap<EsmtpEvent['kind'], Counter> = new Map([
  ['command-refused', 'refusals'],
  ['sender-refused', 'refusals'],
  ['recipient-refused', 'refusals'],
  ['error', 'errors'],
]);

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
