import type { Writable } from 'node:stream';

/** Returns a function that writes text to the stream; its promise rejects if nobody reads the stream. */
export function printerTo(stream: Writable): (text: string) => Promise<void> {
  return (text) =>
    new Promise((resolve, reject) => {
      stream.write(text, (error) => (error ? reject(error) : resolve()));
    });
}
