import type { Writable } from 'node:stream';

/**
 * Writes lines to a stream, and loses those that come while too much lies unsent: whoever reads the log and stalls must neither stop the
 * server nor fill its memory. Tells how many were lost when there is room again.
 */
export function droppingWriter(stream: Writable, tellLost: (lines: number) => void): (line: string) => void {
  let lost = 0;
  return (line) => {
    if (stream.writableLength > (lost === 0 ? MOST_UNSENT : ROOM)) {
      lost++;
      return;
    }
    const lines = lost;
    lost = 0;
    if (lines > 0) tellLost(lines);
    stream.write(line);
  };
}

/** Octets: some thousand lines. */
const MOST_UNSENT = 1024 * 1024;
const ROOM = MOST_UNSENT / 2;
