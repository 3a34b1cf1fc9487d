import type { Writable } from 'node:stream';
import { styleText } from 'node:util';
import { formatLogFields } from '@postern/esmtp';
import { pino } from 'pino';
import { hasColours } from './colours.ts';
import { droppingWriter } from './dropping-writer.ts';
import { printable } from './printable.ts';

/** What an entry tells beside its message. Never a secret; what a client sent may be in it. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Where the command tells what happens. */
export interface Log {
  info(message: string, facts?: LogFields): void;
  warn(message: string, facts?: LogFields): void;
  error(message: string, facts?: LogFields): void;
}

/** The forms of the log: lines for people, a JSON object a line, nothing. */
export const LOG_FORMS = ['pretty', 'json', 'silent'] as const;
/** How the log is written. */
export type LogForm = (typeof LOG_FORMS)[number];

/** The stream of a log; a terminal gets colours. */
type LogStream = Writable & { readonly isTTY?: boolean };

/** Opens a log on the standard error, so that the standard output carries only the command's results. */
export function openLog(form: LogForm, stderr: LogStream = process.stderr): Log {
  if (form === 'silent') return { info() {}, warn() {}, error() {} };
  const write = droppingWriter(stderr, (lines) => log.warn('nobody read the log, and lines of it are lost', { lines }));
  const log = form === 'json' ? jsonLog(write) : prettyLog(write, { colours: hasColours(stderr) });
  return log;
}

/** How {@link prettyLog} writes. */
export interface PrettyOptions {
  /** The clock of the entries. Default: the system's. */
  readonly now?: () => Date;
  /** True for colours, which a terminal shows. Default: false. */
  readonly colours?: boolean;
}

/** One line an entry: time, level, message, facts. */
export function prettyLog(write: (line: string) => void, options: PrettyOptions = {}): Log {
  const { now = () => new Date(), colours = false } = options;
  const entry = (level: string, style: Style) => {
    const paint = (text: string, format: Style) =>
      colours ? styleText(format, text, { validateStream: false }) : text;
    return (message: string, facts: LogFields = {}): void => {
      const head = [paint(now().toISOString(), 'dim'), paint(level, style), paint(printable(message), 'bold')];
      const fields = formatLogFields(facts);
      write(`${head.join(' ')}${fields === '' ? '' : ` ${fields}`}\n`);
    };
  };
  return { info: entry('info ', 'green'), warn: entry('warn ', 'yellow'), error: entry('error', 'red') };
}

type Style = 'dim' | 'bold' | 'green' | 'yellow' | 'red';

/** One JSON object an entry, on a line of its own. */
export function jsonLog(write: (line: string) => void): Log {
  const logger = pino(
    { base: null, timestamp: pino.stdTimeFunctions.isoTime, formatters: { level: (level) => ({ level }) } },
    // It may be read at a terminal as well, and JSON leaves all but ASCII's control characters as they are.
    { write: (line) => write(line.replace(OBEYED, escaped)) },
  );
  const entry =
    (level: 'info' | 'warn' | 'error') =>
    (message: string, { error, ...facts }: LogFields = {}): void =>
      logger[level](error === undefined ? facts : { ...facts, err: error }, message);
  return { info: entry('info'), warn: entry('warn'), error: entry('error') };
}

function escaped(character: string): string {
  // JSON escapes a character beyond the first plane as its two surrogates.
  return character.replace(/./gs, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** What a terminal obeys, apart from what JSON escapes by itself. */
const OBEYED = /[\u007f-\u009f\u2028\u2029\p{Cf}]/gu;
