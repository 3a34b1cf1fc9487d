import type { Writable } from 'node:stream';
import { droppingWriter, hasColours, type JoinedLog, type Log, type LogForm, prettyLog, silentLog } from './log.ts';
import { LogBuffer } from './log-buffer.ts';

/**
 * Opens a log on the standard error, so that the standard output carries only the command's
 * results. A terminal gets colours, and each line at once. A file or a pipe gets the lines of one
 * turn of the event loop together: call `flush` before other output and before the process ends.
 */
export async function openLog(form: LogForm, stderr: LogStream = process.stderr): Promise<JoinedLog> {
  if (form === 'silent') return silentLog;
  const warnOfLoss = (lines: number): void => {
    log.warn('the log was not read, and lines of it are lost', { lines });
    buffer.flush();
  };
  const buffer = new LogBuffer(droppingWriter(stderr, warnOfLoss), { isJoined: stderr.isTTY !== true });
  const log = await logOf(form, buffer, stderr);
  return { ...log, flush: buffer.flush };
}

async function logOf(form: 'pretty' | 'json', buffer: LogBuffer, stderr: LogStream): Promise<Log> {
  if (form === 'pretty') return prettyLog(buffer, { colours: hasColours(stderr) });
  // Only a server with this form loads pino.
  const { jsonLog } = await import('./json-log.ts');
  return jsonLog(buffer);
}

/** The stream of a log. */
type LogStream = Writable & { readonly isTTY?: boolean };
