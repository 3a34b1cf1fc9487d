import { createInterface, type Interface } from 'node:readline';
import { Writable } from 'node:stream';
import type { CommandProcess } from './command-process.ts';
import { UsageError } from './errors.ts';

/**
 * Asks the operator: at the terminal, or line by line from the standard input if that is no
 * terminal. Questions go to the standard error.
 */
export class Terminal implements Disposable {
  /** True if an operator answers at a terminal. */
  readonly isInteractive: boolean;
  readonly #process: Pick<CommandProcess, 'stdin' | 'stderr'>;
  #source: LineSource | undefined;

  constructor(process: Pick<CommandProcess, 'stdin' | 'stderr'>) {
    this.#process = process;
    this.isInteractive = process.stdin.isTTY === true;
  }

  /**
   * Resolves to the answer; to undefined at the end of the input, and if the operator presses
   * Ctrl-C.
   *
   * @throws UsageError for a line that is too long, or no UTF-8.
   */
  ask(question: string): Promise<string | undefined> {
    return this.#lines.read(question, true);
  }

  /** Asks as `ask` does. The terminal does not show the answer. */
  askSecret(question: string): Promise<string | undefined> {
    return this.#lines.read(question, false);
  }

  /** Restores the terminal, and closes the standard input. */
  [Symbol.dispose](): void {
    this.#source?.close();
    this.#process.stdin.destroy();
  }

  get #lines(): LineSource {
    this.#source ??= this.isInteractive ? new TypedLines(this.#process) : new PipedLines(this.#process.stdin);
    return this.#source;
  }
}

interface LineSource {
  read(question: string, echo: boolean): Promise<string | undefined>;
  close(): void;
}

/** The lines that an operator types at a terminal. */
class TypedLines implements LineSource {
  readonly #interface: Interface;
  readonly #lines: AsyncIterator<string>;
  readonly #stderr: Writable;
  #echo = false;

  constructor({ stdin, stderr }: Pick<CommandProcess, 'stdin' | 'stderr'>) {
    this.#stderr = stderr;
    const output = new Writable({
      write: (chunk, _encoding, done) => {
        if (this.#echo) stderr.write(chunk);
        done();
      },
    });
    // Without a history: the key that goes back in it would enter a password a second time.
    this.#interface = createInterface({ input: stdin, output, terminal: true, historySize: 0 });
    this.#lines = this.#interface[Symbol.asyncIterator]();
  }

  async read(question: string, echo: boolean): Promise<string | undefined> {
    this.#echo = echo;
    if (!echo) this.#stderr.write(question);
    this.#interface.setPrompt(echo ? question : '');
    this.#interface.prompt();
    // Ctrl-C closes the interface, as the end of the input does.
    const { value, done } = await this.#lines.next();
    if (!echo || done === true) this.#stderr.write('\n');
    return done === true ? undefined : value;
  }

  close(): void {
    this.#interface.close();
  }
}

/** The lines of an input that is no terminal. */
class PipedLines implements LineSource {
  readonly #chunks: AsyncIterator<Uint8Array | string>;
  #unread: Buffer = Buffer.alloc(0);

  constructor(stdin: AsyncIterable<Uint8Array | string>) {
    this.#chunks = stdin[Symbol.asyncIterator]();
  }

  async read(): Promise<string | undefined> {
    for (;;) {
      const end = this.#unread.indexOf(LF);
      if (end > MAX_LINE_OCTETS || (end < 0 && this.#unread.length > MAX_LINE_OCTETS)) {
        throw new UsageError(`the standard input: expected a line of at most ${MAX_LINE_OCTETS} octets`);
      }
      if (end >= 0) return this.#take(end);
      const { value, done } = await this.#chunks.next();
      if (done === true) return this.#unread.length === 0 ? undefined : this.#take(this.#unread.length);
      this.#unread = Buffer.concat([this.#unread, Buffer.from(value as Uint8Array)]);
    }
  }

  close(): void {}

  #take(end: number): string {
    const line = this.#unread.subarray(0, end);
    this.#unread = this.#unread.subarray(end + 1);
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(line).replace(/\r$/, '');
    } catch (error) {
      throw new UsageError('the standard input: expected a line in UTF-8', { cause: error });
    }
  }
}

const LF = 0x0a;
/** More than the longest password. */
const MAX_LINE_OCTETS = 8192;
