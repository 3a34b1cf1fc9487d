import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, openSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expectDone } from './program.ts';

/** A program that runs until it is stopped, with all the processes that it starts. */
export interface Daemon extends AsyncDisposable {
  /** All that it has said on standard output and standard error so far. */
  output(): string;
  /** Resolves when it has said something that matches; rejects if it ends before. */
  said(pattern: RegExp): Promise<void>;
  /** Ends it, and resolves when none of its processes is left that could say anything. */
  stop(): Promise<void>;
}

/** Starts a program in a process group of its own, and resolves when it has said that it is ready. If it does not, it is ended. */
export async function startDaemon(program: string, args: readonly string[], ready: RegExp): Promise<Daemon> {
  const folder = await mkdtemp(join(tmpdir(), 'postern-daemon-'));
  const pipe = await openPipe(join(folder, 'pipe'));
  const child = spawn(program, args, { stdio: ['ignore', pipe.write, pipe.write], detached: true });
  const started = once(child, 'spawn');
  closeSync(pipe.write);
  let output = '';
  let ended = false;
  const listeners = new Set<() => void>();
  pipe.read.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    for (const listener of listeners) listener();
  });
  const closed = once(pipe.read, 'close').then(async () => {
    ended = true;
    process.off('exit', kill);
    for (const listener of listeners) listener();
    await rm(folder, { recursive: true });
  });
  const signal = (name: NodeJS.Signals): void => {
    if (ended || child.pid === undefined) return;
    try {
      process.kill(-child.pid, name);
    } catch {
      // Its last process has just ended, and the end of its output is still under way.
    }
  };
  function kill(): void {
    signal('SIGKILL');
  }
  // A test run that ends early takes it along.
  process.on('exit', kill);
  await started;

  const daemon: Daemon = {
    output: () => output,
    async said(pattern) {
      while (!pattern.test(output)) {
        if (ended) throw new Error(`${program} ended before it said ${pattern}:\n${output}`);
        const heard = Promise.withResolvers<void>();
        listeners.add(heard.resolve);
        await heard.promise;
        listeners.delete(heard.resolve);
      }
    },
    async stop() {
      signal('SIGTERM');
      const timer = setTimeout(kill, PATIENCE);
      await closed;
      clearTimeout(timer);
    },
    [Symbol.asyncDispose]: () => daemon.stop(),
  };
  const timer = setTimeout(kill, PATIENCE);
  try {
    await daemon.said(ready);
  } finally {
    clearTimeout(timer);
  }
  return daemon;
}

/** A pipe with a name, and its two ends: those that Node makes are sockets, as which Postfix cannot open `/dev/stdout`. */
async function openPipe(path: string): Promise<{ readonly read: Socket; readonly write: number }> {
  await expectDone('mkfifo', ['-m', '666', path]);
  // Without O_NONBLOCK it would wait for somebody to write.
  const read = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  return { read: new Socket({ fd: read, readable: true, writable: false }), write: openSync(path, 'w') };
}

/** How long it may take to be ready, and to end, in milliseconds: what hangs is killed. */
const PATIENCE = 60_000;
