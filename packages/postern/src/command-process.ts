import type { Readable, Writable } from 'node:stream';

/** The part of Node's `process` that the commands use. Tests pass an object of their own. */
export interface CommandProcess {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: Writable;
  readonly stderr: Writable & { readonly isTTY?: boolean };
  readonly env: NodeJS.ProcessEnv;
  /** The id of the parent process. */
  readonly ppid: number;
  on(event: NodeJS.Signals | ProcessEnd, listener: () => void): unknown;
  exit(code: number): void;
}

/** An event before the process ends: its exit, or the report of an error that nothing caught. */
export type ProcessEnd = 'exit' | 'uncaughtExceptionMonitor';

/**
 * Returns a function that writes text to the stream, after a call of `beforeWrite`. Its promise
 * rejects if the stream is closed.
 */
export function printerTo(stream: Writable, beforeWrite: () => void = () => {}): (text: string) => Promise<void> {
  return (text) =>
    new Promise((resolve, reject) => {
      beforeWrite();
      stream.write(text, (error) => (error ? reject(error) : resolve()));
    });
}
