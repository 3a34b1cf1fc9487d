import type { Writable } from 'node:stream';
import type { WriteStream } from 'node:tty';
import { styleText } from 'node:util';
import { type EntryWriter, formatLogFields, printable } from '@postern/esmtp';
import { bufferOf, type Lines } from './log-buffer.ts';
import { PrettyEntries } from './pretty-entries.ts';

/** The fields of a log entry. They hold no secret; they may hold text that a client sent. */
export type LogFields = Readonly<Record<string, unknown>>;

/** The command's log. */
export interface Log {
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** Writes entries field by field. Undefined for a log that has one way only. */
  readonly entries?: EntryWriter | undefined;
}

/** A log that joins its lines. */
export interface JoinedLog extends Log {
  /** Writes the lines that wait for the end of this turn of the event loop. */
  readonly flush: () => void;
}

/** The forms of the log: lines for people, one JSON object a line, no output. */
export const LOG_FORMS = ['pretty', 'json', 'silent'] as const;
/** A form of the log. */
export type LogForm = (typeof LOG_FORMS)[number];

/** A log without output. */
export const silentLog: JoinedLog = { info() {}, warn() {}, error() {}, flush() {} };

/** The options of {@link prettyLog}. */
export interface PrettyOptions {
  /** The clock of the entries. Default: the system's. */
  readonly now?: () => Date;
  /** True for a terminal that shows colours. Default: false. */
  readonly colours?: boolean;
}

/** Returns a log that writes one line an entry: time, level, message, fields. */
export function prettyLog(lines: Lines, options: PrettyOptions = {}): Log {
  const { now = () => new Date(), colours = false } = options;
  const buffer = bufferOf(lines);
  const entry = (level: string, style: Style) => {
    const paint = (text: string, format: Style) =>
      colours ? styleText(format, text, { validateStream: false }) : text;
    return (message: string, logFields: LogFields = {}): void => {
      const head = [paint(now().toISOString(), 'dim'), paint(level, style), paint(printable(message), 'bold')];
      const fields = formatLogFields(logFields);
      buffer.line(`${head.join(' ')}${fields === '' ? '' : ` ${fields}`}\n`);
    };
  };
  const milliseconds = options.now === undefined ? () => Date.now() : () => now().getTime();
  return {
    info: entry('info ', 'green'),
    warn: entry('warn ', 'yellow'),
    error: entry('error', 'red'),
    // No terminal needs the speed.
    entries: colours ? undefined : new PrettyEntries(buffer, milliseconds),
  };
}

type Style = 'dim' | 'bold' | 'green' | 'yellow' | 'red';

/**
 * Returns a writer of lines that drops lines while more than {@link MAX_UNSENT_OCTETS} octets wait
 * in the stream: a reader that stalls neither stops the server nor fills its memory. The writer
 * calls `onLost` with the number of dropped lines when half of that space is free again.
 */
export function droppingWriter(
  stream: Writable,
  onLost: (lines: number) => void,
): (text: string | Uint8Array, lines?: number) => void {
  let lost = 0;
  return (text, lines = 1) => {
    if (stream.writableLength > (lost === 0 ? MAX_UNSENT_OCTETS : RESUME_OCTETS)) {
      lost += lines;
      return;
    }
    const lostBefore = lost;
    lost = 0;
    if (lostBefore > 0) onLost(lostBefore);
    stream.write(text);
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
