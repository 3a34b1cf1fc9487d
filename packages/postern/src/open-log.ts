import type { Writable } from 'node:stream';
import { droppingWriter, hasColours, type JoinedLog, type Log, type LogForm, prettyLog, silentLog } from './log.ts';
import { type Lines, LogBuffer } from './log-buffer.ts';

/**
 * Opens a log on the standard error, so that the standard output carries only the command's
 * results. A terminal gets colours, and each line at once. A file or a pipe gets the lines of one
 * turn of the event loop together: call `flush` before other output and before the process ends.
 */
export async function openLog(form: LogForm, stderr: LogStream = process.stderr): Promise<JoinedLog> {
  if (form === 'silent') return silentLog;
  const logOn = await logOf(form, stderr);
  const warnOfLoss = (lines: number): void => {
    // Past the buffer, which may be writing a block while it ends a line.
    const unbuffered = logOn((line) => void stderr.write(line));
    unbuffered.warn('the log was not read, and lines of it are lost', { lines });
  };
  const buffer = new LogBuffer(droppingWriter(stderr, warnOfLoss), { isJoined: stderr.isTTY !== true });
  return { ...logOn(buffer), flush: buffer.flush };
}

/** Resolves to a function that returns a log of this form on a destination of lines. */
async function logOf(form: 'pretty' | 'json', stderr: LogStream): Promise<(lines: Lines) => Log> {
  if (form === 'pretty') return (lines) => prettyLog(lines, { colours: hasColours(stderr) });
  // Only a server with this form loads pino.
  const { jsonLog } = await import('./json-log.ts');
  return jsonLog;
}

/** The stream of a log. */
type LogStream = Writable & { readonly isTTY?: boolean };
