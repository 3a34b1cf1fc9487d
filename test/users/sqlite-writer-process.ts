import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** A running `sqlite-writer.ts`, with the built packages. */
export class SqliteWriter implements AsyncDisposable {
  /** The number of users that the process has reported as stored. */
  stored = 0;
  /** The error that the process has reported. */
  error: string | undefined;
  /** Is called after each report with the number of stored users. */
  onReport: (stored: number) => void = () => {};
  readonly #prefix: string;
  readonly #process: ChildProcess;
  readonly #ready: Promise<unknown>;
  readonly #ended: Promise<unknown>;

  /** `program` runs Node, for example with limits: `['prlimit', '--fsize=1000000']`. */
  constructor(
    path: string,
    prefix: string,
    mode: 'add' | 'addAll' | 'count',
    count: number,
    program: readonly string[] = [],
  ) {
    const script = join(import.meta.dirname, 'sqlite-writer.ts');
    const [command, ...args] = [...program, process.execPath];
    this.#prefix = prefix;
    this.#process = spawn(command, [...args, '--no-warnings', script, path, prefix, mode, String(count)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#ended = once(this.#process, 'close');
    const ready = Promise.withResolvers<void>();
    this.#ready = Promise.race([ready.promise, this.#ended]);
    createInterface({ input: this.#process.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      if (line === 'ready') ready.resolve();
      else this.#hear(line);
    });
  }

  /** The names of the stored users. */
  get names(): readonly string[] {
    return Array.from({ length: this.stored }, (_, index) => `${this.#prefix}${index}`);
  }

  /** Resolves when the process has opened the database, or has ended. */
  async ready(): Promise<void> {
    await this.#ready;
  }

  /** Lets the process write. Resolves when the process has ended. */
  async write(): Promise<void> {
    this.#process.stdin?.on('error', () => {}).write('go\n');
    await this.#ended;
  }

  kill(): void {
    this.#process.kill('SIGKILL');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kill();
    await this.#ended;
  }

  #hear(line: string): void {
    if (/^\d+$/.test(line)) {
      this.stored = Number(line);
      this.onReport(this.stored);
    } else {
      this.error = line;
    }
  }
}
