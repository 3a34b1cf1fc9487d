import type { Readable, Writable } from 'node:stream';
import type { NpmProcess } from './npm-parent.ts';

/** The part of Node's `process` that the commands use. Tests pass an object of their own. */
export interface CommandProcess extends NpmProcess {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: Writable;
  readonly stderr: Writable & { readonly isTTY?: boolean };
  on(signal: NodeJS.Signals, listener: () => void): unknown;
  exit(code: number): void;
}
