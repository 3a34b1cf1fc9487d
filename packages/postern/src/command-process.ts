import type { Readable, Writable } from 'node:stream';

/** The part of Node's `process` that the commands use. Tests pass an object of their own. */
export interface CommandProcess {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: Writable;
  readonly stderr: Writable & { readonly isTTY?: boolean };
  readonly env: NodeJS.ProcessEnv;
  /** The id of the parent process. */
  readonly ppid: number;
  on(signal: NodeJS.Signals, listener: () => void): unknown;
  exit(code: number): void;
}

/**
 * Returns a function that writes text to the stream. Its promise rejects if the stream is closed.
 */
export function printerTo(stream: Writable): (text: string) => Promise<void> {
  return (text) =>
    new Promise((resolve, reject) => {
      stream.write(text, (error) => (error ? reject(error) : resolve()));
    });
}
