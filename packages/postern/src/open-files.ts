import { readFileSync } from 'node:fs';
import type { ListenerSettings } from './listener-settings.ts';
import { isAccess } from './listener-url.ts';
import type { Log } from './log.ts';
import type { Settings } from './settings.ts';

/**
 * Lowers the limit of connections to the number that the process can accept. Warns if an operator
 * would miss them.
 */
export function withinOpenFiles(settings: Settings, log: Log): Settings {
  const files = openFiles();
  const maxConnections = connectionsWithin(files, settings);
  if (maxConnections === undefined) return settings;
  if (isShort(maxConnections, settings)) {
    const message = 'there may be fewer connections, since this process may not open more files (ulimit -n)';
    log.warn(message, { files, connections: maxConnections });
  }
  return { ...settings, connections: { ...settings.connections, maxConnections } };
}

/**
 * Returns how many files and connections this process may have open at the same time; Infinity if
 * the system has no /proc.
 */
export function openFiles(): number {
  try {
    return Number(
      /^Max open files +(\d+) /m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1] ?? Number.POSITIVE_INFINITY,
    );
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/**
 * Returns how many connections each listener can have with `files` open files; undefined if `files`
 * suffices for the configured number. The system would refuse a further connection, and Node would
 * drop it without an error.
 */
export function connectionsWithin(
  files: number,
  { connections: { maxConnections = DEFAULT_MAX_CONNECTIONS }, listeners }: Pick<Settings, 'connections' | 'listeners'>,
): number | undefined {
  const filesOfAll = listeners.reduce((sum, listener) => sum + filesOf(listener), 0);
  const available = Math.max(1, Math.floor((files - RESERVED_FILES) / filesOfAll));
  return available < maxConnections ? available : undefined;
}

/**
 * Returns how many files a connection of the listener has open: its socket, and the message of RETR
 * or the connection to the back end.
 */
function filesOf(listener: ListenerSettings): number {
  return isAccess(listener) ? 2 : 1;
}

/**
 * Returns true if the operator should hear of the lower limit: it is below the configured number,
 * or very low.
 */
export function isShort(
  available: number,
  { connections: { maxConnections } }: Pick<Settings, 'connections'>,
): boolean {
  return maxConnections !== undefined || available < FEW_CONNECTIONS;
}

/** The default of `@postern/node`. */
const DEFAULT_MAX_CONNECTIONS = 10_000;
/** For files that are no connection: the process's own, and messages in delivery. */
const RESERVED_FILES = 32;
const FEW_CONNECTIONS = 250;
