import { readFileSync } from 'node:fs';
import type { Settings } from './settings.ts';

/** How many files this process may have open at the same time, its connections among them; Infinity where the system does not tell. */
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
 * How many connections each listener may have with so many files, if those are too few for as many as are wanted. A connection beyond
 * could not be accepted, and Node would drop it without a word to anybody.
 */
export function connectionsWithin(
  files: number,
  { connections: { maxConnections = MOST }, listeners }: Pick<Settings, 'connections' | 'listeners'>,
): number | undefined {
  const room = Math.max(1, Math.floor((files - RESERVED) / listeners.length));
  return room < maxConnections ? room : undefined;
}

/** Whether the operator should hear of that: it is less than was asked for, or than anybody expects who asked for nothing. */
export function isShort(room: number, { connections: { maxConnections } }: Pick<Settings, 'connections'>): boolean {
  return maxConnections !== undefined || room < FEW;
}

/** The default of @postern/node. */
const MOST = 10_000;
/** For all that is no connection: the process's own, and messages on their way. */
const RESERVED = 32;
const FEW = 250;
