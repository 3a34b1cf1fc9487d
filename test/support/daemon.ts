import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, openSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Output } from './output.ts';
import { expectDone } from './program.ts';

/** A running program with all processes that it has started. */
export interface Daemon extends AsyncDisposable {
  /** Returns all text on standard output and standard error so far. */
  output(): string;
  /** Resolves when the output matches the pattern; rejects if the program ends before. */
  said(pattern: RegExp): Promise<void>;
  /** Sends SIGTERM to all processes of the program and resolves when the last one has ended. */
  stop(): Promise<void>;
}

/**
 * Starts a program in a process group of its own. Resolves when the output matches `ready`. Kills
 * the program and rejects if it is not ready within {@link READY_TIMEOUT_MS}.
 */
export async function startDaemon(program: string, args: readonly string[], ready: RegExp): Promise<Daemon> {
  const folder = await mkdtemp(join(tmpdir(), 'postern-daemon-'));
  const pipe = await openPipe(join(folder, 'pipe'));
  const child = spawn(program, args, { stdio: ['ignore', pipe.write, pipe.write], detached: true });
  const started = once(child, 'spawn');
  closeSync(pipe.write);
  const output = new Output();
  let ended = false;
  pipe.read.setEncoding('utf8').on('data', (text: string) => output.append(text));
  const closed = once(pipe.read, 'close').then(async () => {
    ended = true;
    process.off('exit', kill);
    output.end(`${program} ended`);
    await rm(folder, { recursive: true });
  });
  const signal = (name: NodeJS.Signals): void => {
    if (ended || child.pid === undefined) return;
    try {
      process.kill(-child.pid, name);
    } catch {
      // The last process has just ended; the pipe has not reported its end yet.
    }
  };
  function kill(): void {
    signal('SIGKILL');
  }
  // The end of the test run ends the program too.
  process.on('exit', kill);
  await started;

  const daemon: Daemon = {
    output: () => output.text,
    said: (pattern) => output.said(pattern),
    async stop() {
      signal('SIGTERM');
      const timer = setTimeout(kill, READY_TIMEOUT_MS);
      await closed;
      clearTimeout(timer);
    },
    [Symbol.asyncDispose]: () => daemon.stop(),
  };
  const timer = setTimeout(kill, READY_TIMEOUT_MS);
  try {
    await daemon.said(ready);
  } finally {
    clearTimeout(timer);
  }
  return daemon;
}

/**
 * Makes a named pipe and opens both ends. Node's own pipes are sockets, and Postfix cannot open a
 * socket as `/dev/stdout`.
 */
async function openPipe(path: string): Promise<{ readonly read: Socket; readonly write: number }> {
  await expectDone('mkfifo', ['-m', '666', path]);
  // Without O_NONBLOCK `openSync` would wait for the other end.
  const read = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  return { read: new Socket({ fd: read, readable: true, writable: false }), write: openSync(path, 'w') };
}

/** The time for a program to be ready, and to end after SIGTERM. A program that hangs is killed. */
const READY_TIMEOUT_MS = 60_000;
