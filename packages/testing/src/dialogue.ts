import {
  Conversation,
  type ConversationOptions,
  Deadlines,
  type LineEnding,
  type Protocol,
  TimedOut,
} from '@postern/conversation';
import { type LineStep, parseScript, type Step, type WordStep } from './dialogue-script.ts';
import { FakeClock, settle } from './fake-clock.ts';
import { type MemoryPipeOptions, type MemoryTransport, memoryPipe } from './memory-pipe.ts';
import { Placeholders, type Value } from './placeholders.ts';
import { readChunk } from './raw-transport.ts';

/** The options of a {@link dialogue}. */
export interface DialogueOptions extends MemoryPipeOptions {
  /** The clock of the conversation, which `C: <advance 300s>` moves. Default: a new clock. */
  readonly clock?: FakeClock;
  /** Further options of the server's conversation. */
  readonly conversation?: ConversationOptions;
  /** The end of the lines of both sides. Default: `crlf`. */
  readonly lineEnding?: LineEnding;
  /** The values of placeholders. */
  readonly values?: Readonly<Record<string, Value>>;
  /** The longest wait for a line of the server, in milliseconds of real time. Default: 30,000. */
  readonly readTimeout?: number;
}

/** The dialogue differs from its script. The message shows the dialogue and the line. */
export class DialogueMismatch extends Error {
  override readonly name = 'DialogueMismatch';
}

/**
 * Plays a script against a protocol over a connection in memory. Resolves with the transcript.
 *
 * - `C:` lines are sent with the line ending, adjacent lines in one write. `S:` lines are compared
 *   literally, except for placeholders ({@link Placeholders}).
 * - `S: 250-...` is any number of such lines, and `S: 250...` is one whole reply.
 * - Actions are `C: <starttls>`, `<end>` (the client's side only), `<close>`, `<reset>`,
 *   `<advance 300s>`, `<raw text without CRLF>` and `<closing>`, which aborts the shutdown signal.
 * - Events are `S: <closed>` and `<silence>`: the server has sent nothing more so far.
 *
 * @example
 * ```ts
 * import { esmtp, MessageDelivery } from '@postern/esmtp';
 * import { dialogue, portalFor } from '@postern/testing';
 *
 * declare const delivery: MessageDelivery;
 * const portal = portalFor({ joe: 's3cret' }, MessageDelivery, () => delivery);
 * const script = String.raw`
 *   S: 220 mx.example.com <any>
 *   C: NOOP
 *   S: 250 2.0.0 <any>
 * `;
 * await dialogue(esmtp({ hostname: 'mx.example.com', portal }), script);
 * ```
 *
 * @throws DialogueMismatch if the server sends another line.
 * @throws SyntaxError if the script is malformed. An error of the protocol rejects as it is.
 */
export async function dialogue(protocol: Protocol, script: string, options: DialogueOptions = {}): Promise<string> {
  const steps = parseScript(script);
  const play = new Play(protocol, options);
  try {
    for (const [index, step] of steps.entries()) await play.step(step, steps[index + 1]);
    await play.end();
    return play.transcript;
  } catch (error) {
    if (error instanceof Difference) throw new DialogueMismatch(play.report(error, steps), { cause: error.cause });
    throw error;
  } finally {
    play.abandon();
  }
}

class Play {
  readonly #clock: FakeClock;
  readonly #shutdown = new AbortController();
  readonly #placeholders: Placeholders;
  readonly #transport: MemoryTransport;
  readonly #client: Conversation;
  readonly #server: MemoryTransport;
  readonly #protocol: Promise<void>;
  readonly #lines: string[] = [];
  readonly #lineEnd: Buffer;
  readonly #unsent: Buffer[] = [];
  /** A line that was read and belongs to a later step. */
  #pendingLine: string | undefined;
  #failure: { readonly error: unknown } | undefined;

  constructor(protocol: Protocol, options: DialogueOptions) {
    this.#clock = options.clock ?? new FakeClock();
    this.#placeholders = new Placeholders(options.values);
    const { client, server } = memoryPipe(options);
    this.#transport = client;
    this.#server = server;
    const deadlines = new Deadlines(undefined, 100);
    this.#client = new Conversation(client, { deadlines, readTimeout: options.readTimeout ?? 30_000 });
    this.#client.lineEnding = options.lineEnding ?? 'crlf';
    this.#lineEnd = Buffer.from(this.#client.lineEnding === 'lf' ? '\n' : '\r\n');
    const conversation = new Conversation(server, {
      deadlines: new Deadlines(this.#clock),
      shutdownSignal: this.#shutdown.signal,
      ...options.conversation,
    });
    this.#protocol = protocol(conversation).catch((error: unknown) => {
      this.#failure = { error };
      server.destroy();
    });
  }

  get transcript(): string {
    return this.#lines.map((line) => `${line}\n`).join('');
  }

  async step(step: Step, next: Step | undefined): Promise<void> {
    switch (step.kind) {
      case 'say':
        this.#unsent.push(await this.#placeholders.bytes(step.text), this.#lineEnd);
        this.#lines.push(`C: ${step.text}`);
        if (next?.kind !== 'say') await this.#send();
        return;
      case 'do':
        this.#lines.push(`C: <${[step.word, step.argument].filter(Boolean).join(' ')}>`);
        return this.#do(step);
      case 'expect':
        return this.#expect(step);
      case 'happens':
        return step.word === 'closed' ? this.#expectEnd(step) : this.#expectSilence(step);
    }
  }

  /** Ends the client's side, and waits for the end of the protocol. */
  async end(): Promise<void> {
    await this.#expectSilence(undefined);
    this.#transport.end();
    const ended = this.#client.within(this.#client.readTimeout, this.#protocol);
    const discarded = this.#discard();
    await ended.catch((error: unknown) => {
      throw error instanceof TimedOut ? new Difference(undefined, 'the protocol does not end', 'its end') : error;
    });
    this.#server.destroy();
    await discarded;
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  abandon(): void {
    this.#transport.destroy();
    this.#server.destroy();
  }

  report(difference: Difference, steps: readonly Step[]): string {
    const rest = steps.filter(({ line }) => line > (difference.step?.line ?? Number.POSITIVE_INFINITY));
    return [
      `the dialogue differs from the script${difference.step ? ` in line ${difference.step.line}` : ''}:`,
      ...this.#lines.map((line) => `    ${line}`),
      `  - S: ${difference.expected}`,
      `  + S: ${difference.heard}`,
      ...rest.map((step) => `    ${written(step)}`),
    ].join('\n');
  }

  async #send(): Promise<void> {
    const bytes = Buffer.concat(this.#unsent);
    this.#unsent.length = 0;
    await this.#write(bytes);
  }

  /** Does not wait for a server that does not read: the script checks its reply instead. */
  async #write(bytes: Buffer): Promise<void> {
    Promise.resolve(this.#transport.write(bytes)).catch(() => {});
    await settle();
  }

  async #do(deed: WordStep<'do'>): Promise<void> {
    const { word, argument } = deed;
    if (word === 'raw') return this.#write(await this.#placeholders.bytes(argument));
    if (word === 'advance') return this.#clock.advance(milliseconds(argument));
    if (word === 'starttls') return this.#startTls(deed);
    if (word === 'closing') this.#shutdown.abort();
    else if (word === 'end') this.#transport.end();
    else if (word === 'close') this.#transport.destroy();
    else this.#transport.reset();
    await settle();
  }

  async #startTls(step: Step): Promise<void> {
    await this.#expectSilence(step);
    try {
      await this.#client.startTls();
    } catch (error) {
      throw new Difference(step, `<${String(error)}>`, 'a TLS handshake', error);
    }
  }

  async #expect(step: LineStep<'expect'>): Promise<void> {
    const [, code, more] = /^(.*?)(-?)\.\.\.$/s.exec(step.text) ?? [];
    if (code !== undefined) {
      for (;;) {
        const line = await this.#hear(step, step.text);
        if (line.startsWith(`${code}-`)) this.#lines.push(`S: ${line}`);
        else if (more === '-') {
          this.#pendingLine = line;
          return;
        } else if (line === code || line.startsWith(`${code} `)) {
          this.#lines.push(`S: ${line}`);
          return;
        } else throw new Difference(step, line, step.text);
      }
    }
    const line = await this.#hear(step, step.text);
    if (!(await this.#placeholders.matches(step.text, line))) throw new Difference(step, line, step.text);
    this.#lines.push(`S: ${line}`);
  }

  async #expectEnd(step: Step): Promise<void> {
    const line = await this.#hearOrEnd(step, '<closed>');
    if (line !== undefined) throw new Difference(step, line, '<closed>');
    this.#lines.push('S: <closed>');
  }

  async #expectSilence(step: Step | undefined): Promise<void> {
    await settle();
    if (this.#pendingLine === undefined && this.#transport.unread === 0 && !this.#client.hasInput) return;
    const heard = await this.#hear(step, '<silence>');
    throw new Difference(step, heard, '<silence>');
  }

  async #hear(step: Step | undefined, expected: string): Promise<string> {
    const line = await this.#hearOrEnd(step, expected);
    if (line === undefined) throw new Difference(step, '<closed>', expected);
    return line;
  }

  async #hearOrEnd(step: Step | undefined, expected: string): Promise<string | undefined> {
    const pending = this.#pendingLine;
    this.#pendingLine = undefined;
    if (pending !== undefined) return pending;
    try {
      const line = await this.#client.hearLine(MAX_LINE_OCTETS);
      if (line !== undefined) return Buffer.from(line, 'latin1').toString();
      if (this.#failure === undefined) return undefined;
      throw this.#failure.error;
    } catch (error) {
      if (this.#failure !== undefined) throw this.#failure.error;
      throw new Difference(step, `<${error instanceof TimedOut ? 'silence' : String(error)}>`, expected, error);
    }
  }

  async #discard(): Promise<void> {
    try {
      while ((await readChunk(this.#transport)) !== undefined);
    } catch {
      // The connection has closed.
    }
  }
}

/** The step at which the dialogue differs from the script. */
class Difference extends Error {
  readonly step: Step | undefined;
  readonly heard: string;
  readonly expected: string;

  constructor(step: Step | undefined, heard: string, expected: string, cause?: unknown) {
    super('the dialogue differs from the script', { cause });
    this.step = step;
    this.heard = heard;
    this.expected = expected;
  }
}

function written(step: Step): string {
  const side = step.kind === 'say' || step.kind === 'do' ? 'C' : 'S';
  if ('text' in step) return `${side}: ${step.text}`;
  return `${side}: <${[step.word, step.argument].filter(Boolean).join(' ')}>`;
}

function milliseconds(duration: string): number {
  const [, amount, unit] = /^(\d+)(ms|s|min)$/.exec(duration) ?? [];
  if (amount === undefined) throw new SyntaxError(`${duration} is no duration: expected 300s, 5min or 20ms`);
  return Number(amount) * (unit === 'ms' ? 1 : unit === 's' ? 1000 : 60_000);
}

const MAX_LINE_OCTETS = 1_000_000;
