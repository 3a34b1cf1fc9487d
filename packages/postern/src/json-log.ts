import { pino } from 'pino';
import { escapeControls } from './json-line.ts';
import type { Log, LogFields } from './log.ts';

/** Returns a log that writes one JSON object a line. */
export function jsonLog(write: (line: string) => void): Log {
  const logger = pino(
    { base: null, timestamp: pino.stdTimeFunctions.isoTime, formatters: { level: (level) => ({ level }) } },
    // A terminal may show the line, and JSON escapes only ASCII's control characters.
    { write: (line) => write(escapeControls(line)) },
  );
  const entry =
    (level: 'info' | 'warn' | 'error') =>
    (message: string, { error, ...fields }: LogFields = {}): void =>
      logger[level](error === undefined ? fields : { ...fields, err: error }, message);
  return { info: entry('info'), warn: entry('warn'), error: entry('error') };
}
