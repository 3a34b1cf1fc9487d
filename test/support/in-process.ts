import { EventEmitter } from 'node:events';
import { Readable, Writable } from 'node:stream';
import type { CommandProcess } from '../../packages/postern/src/command-process.ts';
import { run } from '../../packages/postern/src/main.ts';
import { Output } from './output.ts';
import { listeningUrls, type ServingPostern } from './postern.ts';
import type { Ended } from './program.ts';

/** Names a database that does not exist: the current folder may have a `postern.db`. */
const NO_DATABASE: NodeJS.ProcessEnv = { POSTERN_DB: 'sqlite:/nonexistent/postern.db' };

/** Runs the command in this process, from source, until it ends. `input` is its standard input. */
export async function runInProcess(args: readonly string[], input = '', env = NO_DATABASE): Promise<Ended> {
  const command = new InProcessCommand(args, input, env);
  const code = await command.ended;
  return { code, output: command.output.text };
}

/**
 * Starts `postern serve` in this process, from source. Resolves when the server listens; rejects if
 * it ends before. Tests of signals, workers and exit codes use `startPostern`.
 */
export function startInProcess(...args: readonly string[]): Promise<ServingPostern> {
  return startInEnvironment(NO_DATABASE, ...args);
}

/** Starts `postern serve` as `startInProcess` does, with these environment variables. */
export async function startInEnvironment(env: NodeJS.ProcessEnv, ...args: readonly string[]): Promise<ServingPostern> {
  const command = new InProcessCommand(['serve', ...args], '', env);
  const { output, ended } = command;
  await output.until(() => listeningUrls(command.stdout).length > 0, 'listened');
  const stop = async (): Promise<number> => {
    command.kill('SIGTERM');
    return await ended;
  };
  return {
    urls: listeningUrls(command.stdout).map((url) => new URL(url)),
    output: () => output.text,
    said: (pattern, times) => output.said(pattern, times),
    kill: (signal) => command.kill(signal),
    ended,
    stop,
    async [Symbol.asyncDispose]() {
      await stop();
    },
  };
}

/** One command line that runs in this process, with streams and signals of its own. */
class InProcessCommand {
  readonly output = new Output();
  /** Resolves to the exit code. */
  readonly ended: Promise<number>;
  readonly #signals = new EventEmitter();
  #stdout = '';

  constructor(args: readonly string[], input: string, env: NodeJS.ProcessEnv) {
    const exited = Promise.withResolvers<number>();
    const process: CommandProcess = {
      stdin: Readable.from([Buffer.from(input)]),
      stdout: writer((text) => {
        this.#stdout += text;
        this.output.append(text);
      }),
      stderr: writer((text) => this.output.append(text)),
      env,
      ppid: 1,
      on: (signal, listener) => this.#signals.on(signal, listener),
      exit: exited.resolve,
    };
    this.ended = Promise.race([run(args, process), exited.promise]).then((code) => {
      this.output.end(`postern ended with ${code}`);
      return code;
    });
  }

  /** The standard output so far. */
  get stdout(): string {
    return this.#stdout;
  }

  kill(signal: NodeJS.Signals): void {
    this.#signals.emit(signal);
  }
}

function writer(write: (text: string) => void): Writable {
  return new Writable({
    decodeStrings: false,
    write(chunk: string | Uint8Array, _encoding, done) {
      write(typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString());
      done();
    },
  });
}
