import { Conversation, type ConversationOptions, Deadlines, type Protocol, TimedOut } from '@postern/conversation';
import { FakeClock, settle } from './fake-clock.ts';
import { type MemoryPipeOptions, type MemoryTransport, memoryPipe } from './memory-pipe.ts';
import { Placeholders, type Value } from './placeholders.ts';
import { readChunk } from './raw-transport.ts';
import { type Deed, parseScript, type Step, type Text } from './script.ts';

/** How a dialogue is led. */
export interface DialogueOptions extends MemoryPipeOptions {
  /** The clock of the conversation, which `C: <advance 300s>` moves. Default: a new one. */
  readonly clock?: FakeClock;
  /** What the conversation is made with beside its clock. */
  readonly conversation?: ConversationOptions;
  /** What placeholders stand for. */
  readonly values?: Readonly<Record<string, Value>>;
  /** How long the server may take for a line, in milliseconds of real time. Default: 30,000. */
  readonly readTimeout?: number;
}

/** The dialogue was not what the script says. The message shows all of it, with the line that differs. */
export class DialogueMismatch extends Error {
  override readonly name = 'DialogueMismatch';
}

/**
 * Leads a protocol through a script over a connection in memory, and resolves to the transcript. Rejects with DialogueMismatch where
 * the server says something else, with what the protocol rejected with, or with a SyntaxError for the script.
 *
 * `C:` lines are sent with CRLF, those that follow one another in one write. `S:` lines are compared to the letter, except for
 * placeholders ({@link Placeholders}) and a text that ends in three dots: `250-...` is any number of such lines, `250...` a whole
 * reply. Then there is `C: <starttls>`, `<end>` (our side only), `<close>`, `<reset>`, `<closing>` (the server wants to stop),
 * `<advance 300s>` and `<raw text without CRLF>`; `S: <closed>` and `<silence>` (nothing more so far).
 */
export async function dialogue(protocol: Protocol, script: string, options: DialogueOptions = {}): Promise<string> {
  const steps = parseScript(script);
  const play = new Play(protocol, options);
  try {
    for (const [index, step] of steps.entries()) await play.step(step, steps[index + 1]);
    await play.end();
    return play.transcript;
  } catch (error) {
    if (error instanceof Different) throw new DialogueMismatch(play.report(error, steps), { cause: error.cause });
    throw error;
  } finally {
    play.abandon();
  }
}

class Play {
  readonly #clock: FakeClock;
  readonly #closing = new AbortController();
  readonly #placeholders: Placeholders;
  readonly #transport: MemoryTransport;
  readonly #client: Conversation;
  readonly #server: MemoryTransport;
  readonly #protocol: Promise<void>;
  readonly #said: string[] = [];
  readonly #unsent: Buffer[] = [];
  /** A line that was heard, but not expected by the step that heard it. */
  #ahead: string | undefined;
  #failure: { readonly error: unknown } | undefined;

  constructor(protocol: Protocol, options: DialogueOptions) {
    this.#clock = options.clock ?? new FakeClock();
    this.#placeholders = new Placeholders(options.values);
    const { client, server } = memoryPipe(options);
    this.#transport = client;
    this.#server = server;
    const deadlines = new Deadlines(undefined, 100);
    this.#client = new Conversation(client, { deadlines, readTimeout: options.readTimeout ?? 30_000 });
    const conversation = new Conversation(server, {
      deadlines: new Deadlines(this.#clock),
      shutdownSignal: this.#closing.signal,
      ...options.conversation,
    });
    this.#protocol = protocol(conversation).catch((error: unknown) => {
      this.#failure = { error };
      server.destroy();
    });
  }

  get transcript(): string {
    return this.#said.map((line) => `${line}\n`).join('');
  }

  async step(step: Step, next: Step | undefined): Promise<void> {
    switch (step.kind) {
      case 'say':
        this.#unsent.push(await this.#placeholders.bytes(step.text), CRLF);
        this.#said.push(`C: ${step.text}`);
        if (next?.kind !== 'say') await this.#send();
        return;
      case 'do':
        this.#said.push(`C: <${[step.word, step.argument].filter(Boolean).join(' ')}>`);
        return this.#do(step);
      case 'expect':
        return this.#expect(step);
      case 'happens':
        return step.word === 'closed' ? this.#expectEnd(step) : this.#expectSilence(step);
    }
  }

  /** Leaves, and lets the protocol come to its end. */
  async end(): Promise<void> {
    await this.#expectSilence(undefined);
    this.#transport.end();
    const over = this.#client.within(this.#client.readTimeout, this.#protocol);
    const discarded = this.#discard();
    await over.catch((error: unknown) => {
      throw error instanceof TimedOut ? new Different(undefined, 'the protocol goes on', 'its end') : error;
    });
    this.#server.destroy();
    await discarded;
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  abandon(): void {
    this.#transport.destroy();
    this.#server.destroy();
  }

  report(different: Different, steps: readonly Step[]): string {
    const rest = steps.filter(({ line }) => line > (different.step?.line ?? Number.POSITIVE_INFINITY));
    return [
      `the dialogue is not what the script says${different.step ? ` in line ${different.step.line}` : ''}:`,
      ...this.#said.map((line) => `    ${line}`),
      `  - S: ${different.expected}`,
      `  + S: ${different.heard}`,
      ...rest.map((step) => `    ${written(step)}`),
    ].join('\n');
  }

  async #send(): Promise<void> {
    const bytes = Buffer.concat(this.#unsent);
    this.#unsent.length = 0;
    await this.#write(bytes);
  }

  /** Does not wait for a server that takes nothing: what it says instead is for the script to tell. */
  async #write(bytes: Buffer): Promise<void> {
    Promise.resolve(this.#transport.write(bytes)).catch(() => {});
    await settle();
  }

  async #do(deed: Deed<'do'>): Promise<void> {
    const { word, argument } = deed;
    if (word === 'raw') return this.#write(await this.#placeholders.bytes(argument));
    if (word === 'advance') return this.#clock.advance(milliseconds(argument));
    if (word === 'starttls') return this.#startTls(deed);
    if (word === 'closing') this.#closing.abort();
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
      throw new Different(step, `<${String(error)}>`, 'a TLS handshake', error);
    }
  }

  async #expect(step: Text<'expect'>): Promise<void> {
    const [, code, more] = /^(.*?)(-?)\.\.\.$/s.exec(step.text) ?? [];
    if (code !== undefined) {
      for (;;) {
        const line = await this.#hear(step, step.text);
        if (line.startsWith(`${code}-`)) this.#said.push(`S: ${line}`);
        else if (more === '-') {
          this.#ahead = line;
          return;
        } else if (line === code || line.startsWith(`${code} `)) {
          this.#said.push(`S: ${line}`);
          return;
        } else throw new Different(step, line, step.text);
      }
    }
    const line = await this.#hear(step, step.text);
    if (!(await this.#placeholders.matches(step.text, line))) throw new Different(step, line, step.text);
    this.#said.push(`S: ${line}`);
  }

  async #expectEnd(step: Step): Promise<void> {
    const line = await this.#hearOrEnd(step, '<closed>');
    if (line !== undefined) throw new Different(step, line, '<closed>');
    this.#said.push('S: <closed>');
  }

  async #expectSilence(step: Step | undefined): Promise<void> {
    await settle();
    if (this.#ahead === undefined && this.#transport.unread === 0 && !this.#client.hasInput) return;
    const heard = await this.#hear(step, '<silence>');
    throw new Different(step, heard, '<silence>');
  }

  async #hear(step: Step | undefined, expected: string): Promise<string> {
    const line = await this.#hearOrEnd(step, expected);
    if (line === undefined) throw new Different(step, '<closed>', expected);
    return line;
  }

  async #hearOrEnd(step: Step | undefined, expected: string): Promise<string | undefined> {
    const ahead = this.#ahead;
    this.#ahead = undefined;
    if (ahead !== undefined) return ahead;
    try {
      const line = await this.#client.hearLine(MAXIMUM_LINE);
      if (line !== undefined) return Buffer.from(line, 'latin1').toString();
      if (this.#failure === undefined) return undefined;
      throw this.#failure.error;
    } catch (error) {
      if (this.#failure !== undefined) throw this.#failure.error;
      throw new Different(step, `<${error instanceof TimedOut ? 'silence' : String(error)}>`, expected, error);
    }
  }

  async #discard(): Promise<void> {
    try {
      while ((await readChunk(this.#transport)) !== undefined);
    } catch {
      // Closed: nothing more comes.
    }
  }
}

/** Where the dialogue left the script. */
class Different extends Error {
  readonly step: Step | undefined;
  readonly heard: string;
  readonly expected: string;

  constructor(step: Step | undefined, heard: string, expected: string, cause?: unknown) {
    super('the dialogue left the script', { cause });
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
  if (amount === undefined) throw new SyntaxError(`not a time: ${duration}; 300s, 5min and 20ms are`);
  return Number(amount) * (unit === 'ms' ? 1 : unit === 's' ? 1000 : 60_000);
}

const CRLF = Buffer.from('\r\n');
const MAXIMUM_LINE = 1_000_000;
