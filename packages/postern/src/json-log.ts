import { pino } from 'pino';
import { JsonEntries } from './json-entries.ts';
import { escapeControls } from './json-line.ts';
import type { Log, LogFields } from './log.ts';
import { bufferOf, type Lines } from './log-buffer.ts';

/** Returns a log that writes one JSON object a line. */
export function jsonLog(lines: Lines): Log {
  const buffer = bufferOf(lines);
  const logger = pino(
    { base: null, timestamp: pino.stdTimeFunctions.isoTime, formatters: { level: (level) => ({ level }) } },
    // A terminal may show the line, and JSON escapes only ASCII's control characters.
    { write: (line) => buffer.line(escapeControls(line)) },
  );
  const entry =
    (level: 'info' | 'warn' | 'error') =>
    (message: string, { error, ...fields }: LogFields = {}): void =>
      logger[level](error === undefined ? fields : { ...fields, err: error }, message);
  return { info: entry('info'), warn: entry('warn'), error: entry('error'), entries: new JsonEntries(buffer) };
}
