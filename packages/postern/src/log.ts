import { pino } from 'pino';
import { printable } from './printable.ts';

/** What an entry tells beside its message. Never a secret; what a client sent may be in it. */
export type Facts = Readonly<Record<string, unknown>>;

/** Where the command tells what happens. */
export interface Log {
  info(message: string, facts?: Facts): void;
  warn(message: string, facts?: Facts): void;
  error(message: string, facts?: Facts): void;
}

/** The forms of the log: lines for people, a JSON object a line, nothing. */
export const LOG_FORMS = ['pretty', 'json', 'silent'] as const;
export type LogForm = (typeof LOG_FORMS)[number];

/** A log on the standard error, so that the standard output is left for what was asked for. */
export function openLog(form: LogForm): Log {
  if (form === 'json') return jsonLog();
  if (form === 'pretty') return prettyLog((line) => process.stderr.write(line));
  return { info() {}, warn() {}, error() {} };
}

/** One line an entry: time, level, message, facts. */
export function prettyLog(write: (line: string) => void, now: () => Date = () => new Date()): Log {
  const entry =
    (level: string) =>
    (message: string, facts: Facts = {}): void => {
      const told = Object.entries(facts).flatMap(([name, value]) =>
        value === undefined ? [] : [`${name}=${show(value)}`],
      );
      write(`${printable([now().toISOString(), level, message, ...told].join(' '))}\n`);
    };
  return { info: entry('info '), warn: entry('warn '), error: entry('error') };
}

function jsonLog(): Log {
  const standardError = pino.destination({ fd: 2, sync: true });
  // A log that cannot be written is no reason to stop.
  standardError.on('error', () => {});
  const logger = pino(
    { base: null, timestamp: pino.stdTimeFunctions.isoTime, formatters: { level: (level) => ({ level }) } },
    standardError,
  );
  const entry =
    (level: 'info' | 'warn' | 'error') =>
    (message: string, { error, ...facts }: Facts = {}): void =>
      logger[level](error === undefined ? facts : { ...facts, err: error }, message);
  return { info: entry('info'), warn: entry('warn'), error: entry('error') };
}

function show(value: unknown): string {
  if (value instanceof Error) return JSON.stringify(causes(value).join(': '));
  return typeof value === 'string' && /^[^\s"=]+$/.test(value) ? value : (JSON.stringify(value) ?? '');
}

/** An error's message and those of what caused it, outermost first. */
function causes(error: Error): string[] {
  return [error.message, ...(error.cause instanceof Error ? causes(error.cause) : [])];
}
