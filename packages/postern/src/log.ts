import type { Writable } from 'node:stream';
import type { WriteStream } from 'node:tty';
import { styleText } from 'node:util';
import { formatLogFields, printable } from '@postern/esmtp';

/** The fields of a log entry. They hold no secret; they may hold text that a client sent. */
export type LogFields = Readonly<Record<string, unknown>>;

/** The command's log. */
export interface Log {
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

/** The forms of the log: lines for people, one JSON object a line, no output. */
export const LOG_FORMS = ['pretty', 'json', 'silent'] as const;
/** A form of the log. */
export type LogForm = (typeof LOG_FORMS)[number];

/** The stream of a log. */
type LogStream = Writable & { readonly isTTY?: boolean };

/**
 * Opens a log on the standard error, so that the standard output carries only the command's
 * results. A terminal gets colours.
 */
export async function openLog(form: LogForm, stderr: LogStream = process.stderr): Promise<Log> {
  if (form === 'silent') return silentLog;
  const warnOfLoss = (lines: number) => log.warn('the log was not read, and lines of it are lost', { lines });
  const write = droppingWriter(stderr, warnOfLoss);
  const log = await logOf(form, write, stderr);
  return log;
}

async function logOf(form: 'pretty' | 'json', write: (line: string) => void, stderr: LogStream): Promise<Log> {
  if (form === 'pretty') return prettyLog(write, { colours: hasColours(stderr) });
  // Only a server with this form loads pino.
  const { jsonLog } = await import('./json-log.ts');
  return jsonLog(write);
}

/** A log without output. */
export const silentLog: Log = { info() {}, warn() {}, error() {} };

/** The options of {@link prettyLog}. */
export interface PrettyOptions {
  /** The clock of the entries. Default: the system's. */
  readonly now?: () => Date;
  /** True for a terminal that shows colours. Default: false. */
  readonly colours?: boolean;
}

/** Returns a log that writes one line an entry: time, level, message, fields. */
export function prettyLog(write: (line: string) => void, options: PrettyOptions = {}): Log {
  const { now = () => new Date(), colours = false } = options;
  const entry = (level: string, style: Style) => {
    const paint = (text: string, format: Style) =>
      colours ? styleText(format, text, { validateStream: false }) : text;
    return (message: string, logFields: LogFields = {}): void => {
      const head = [paint(now().toISOString(), 'dim'), paint(level, style), paint(printable(message), 'bold')];
      const fields = formatLogFields(logFields);
      write(`${head.join(' ')}${fields === '' ? '' : ` ${fields}`}\n`);
    };
  };
  return { info: entry('info ', 'green'), warn: entry('warn ', 'yellow'), error: entry('error', 'red') };
}

type Style = 'dim' | 'bold' | 'green' | 'yellow' | 'red';

/**
 * Returns a writer of lines that drops lines while more than {@link MAX_UNSENT_OCTETS} octets wait
 * in the stream: a reader that stalls neither stops the server nor fills its memory. The writer
 * calls `onLost` with the number of dropped lines when half of that space is free again.
 */
export function droppingWriter(stream: Writable, onLost: (lines: number) => void): (line: string) => void {
  let lost = 0;
  return (line) => {
    if (stream.writableLength > (lost === 0 ? MAX_UNSENT_OCTETS : RESUME_OCTETS)) {
      lost++;
      return;
    }
    const lines = lost;
    lost = 0;
    if (lines > 0) onLost(lines);
    stream.write(line);
  };
}

/**
 * Returns true if the stream is a terminal that shows colours. The environment takes precedence:
 * `NO_COLOR` (not empty) turns colours off, `FORCE_COLOR` turns them on.
 */
export function hasColours(
  stream: Partial<Pick<WriteStream, 'isTTY' | 'hasColors'>>,
  env: NodeJS.ProcessEnv = process.env,
): boolean {
  if ((env['NO_COLOR'] ?? '') !== '') return false;
  if (env['FORCE_COLOR'] !== undefined) return env['FORCE_COLOR'] !== '0';
  return stream.isTTY === true && stream.hasColors?.(env) === true;
}

/** Some thousand lines. */
const MAX_UNSENT_OCTETS = 1024 * 1024;
const RESUME_OCTETS = MAX_UNSENT_OCTETS / 2;
