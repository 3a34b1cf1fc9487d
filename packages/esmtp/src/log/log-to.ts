import { Console } from 'node:console';
import { inspect } from 'node:util';
import type { Mind } from '@postern/cred';
import type { EsmtpEvent, EventListener } from '../events.ts';
import { type Entry, entryOf, formatAddress } from './entry-of.ts';
import { formatLogFields, type LogFields } from './format-line.ts';
import { printable } from './printable.ts';

/**
 * A logger as pino, bunyan and their like have it: fields first, then the message. An error is the
 * field `err`.
 */
export interface Logger {
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
}

/** How much of what clients cause is logged. */
export interface LogToOptions {
  /**
   * Refused commands, senders and recipients that are logged for one connection, and as many
   * errors; the rest is counted, and the number logged when the connection ends. Refused logins and
   * messages are always logged. Default: 20.
   */
  readonly maxRefusals?: number;
  /** Recipients that one entry names; `recipients` has the number of all. Default: 100. */
  readonly maxRecipients?: number;
}

/**
 * Makes a listener for `onEvent` that logs each event. A logger gets the fields and the message;
 * the console gets one line an event, and an error of this server with its stack.
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
  const sink = logger instanceof Console ? lineLogger(logger) : logger;
  const bounds = new Bounds(maxRefusals);
  const write = (mind: Mind, { level, message, fields }: Entry): void =>
    sink[level]({ remote: formatAddress(mind.remote), ...fields }, message);
  return (event) => {
    const { mind } = event;
    const omitted = event.kind === 'closed' ? bounds.omitted(mind) : undefined;
    if (omitted !== undefined) write(mind, { level: 'warn', message: 'refusals were not logged', fields: omitted });
    const place = bounds.take(event);
    if (place !== 'full') write(mind, entryOf(event, maxRecipients));
    if (place === 'last') write(mind, { level: 'warn', message: 'further ones on this connection are only counted' });
  };
}

/** Counts the entries that one connection may cause in any number. */
class Bounds {
  readonly #maximum: number;
  readonly #counts = new WeakMap<Mind, Record<Bounded, number>>();

  constructor(maximum: number) {
    this.#maximum = maximum;
  }

  /**
   * Takes a place for the event: there is one, it is the last one of its kind, or all are taken.
   */
  take({ kind, mind }: EsmtpEvent): 'free' | 'last' | 'full' {
    const bounded = BOUNDED.get(kind);
    if (bounded === undefined) return 'free';
    let counts = this.#counts.get(mind);
    if (counts === undefined) {
      counts = { refusals: 0, errors: 0 };
      this.#counts.set(mind, counts);
    }
    counts[bounded]++;
    if (counts[bounded] > this.#maximum) return 'full';
    return counts[bounded] === this.#maximum ? 'last' : 'free';
  }

  /** How many found no place, by kind; undefined if all did. */
  omitted(mind: Mind): LogFields | undefined {
    const counts = this.#counts.get(mind);
    if (counts === undefined) return undefined;
    const [refusals, errors] = [counts.refusals - this.#maximum, counts.errors - this.#maximum];
    if (refusals <= 0 && errors <= 0) return undefined;
    return { refusals: Math.max(0, refusals), errors: Math.max(0, errors) };
  }
}

type Bounded = 'refusals' | 'errors';

const BOUNDED: ReadonlyMap<EsmtpEvent['kind'], Bounded> = new Map([
  ['command-refused', 'refusals'],
  ['sender-refused', 'refusals'],
  ['recipient-refused', 'refusals'],
  ['error', 'errors'],
]);

/** A console has no fields; its lines are for people. */
function lineLogger(console: Console): Logger {
  const line = (fields: LogFields, message: string): string => `${message} ${formatLogFields(fields)}`;
  return {
    info: (fields, message) => console.info(line(fields, message)),
    warn: (fields, message) => console.warn(line(fields, message)),
    error: (fields, message) => console.error(line(fields, message) + stackOf(fields['err'])),
  };
}

/** Indented, so that no text in it looks like a line of the log. */
function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return '';
  const lines = inspect(error).split('\n');
  return lines.map((line) => `\n    ${printable(line)}`).join('');
}
