import { type MaybePromise, toPromise } from '@postern/core';
import type { Deadlines } from './deadlines.ts';
import { PeerGone } from './errors.ts';
import type { MemoryAccount } from './memory-budget.ts';
import type { Transport } from './transport.ts';

/** The output of a conversation: the text that is not sent, and the current write. */
export class Output {
  readonly #transport: Transport;
  readonly #deadlines: Deadlines;
  readonly #memory: MemoryAccount;
  #unsent = '';
  #writing: Promise<void> | undefined = undefined;
  #broken: PeerGone | undefined = undefined;

  constructor(transport: Transport, deadlines: Deadlines, memory: MemoryAccount) {
    this.#transport = transport;
    this.#deadlines = deadlines;
    this.#memory = memory;
  }

  /**
   * Resolves when the transport accepts more, and never rejects; undefined if it accepts more now.
   */
  get writing(): Promise<void> | undefined {
    return this.#writing;
  }

  /** The error with which the connection broke; undefined if it is intact. */
  get broken(): PeerGone | undefined {
    return this.#broken;
  }

  /**
   * Appends the text to the output. Sends the output if it exceeds 64 KiB and the transport accepts
   * more.
   */
  say(text: string): void {
    this.#unsent += text;
    if (this.#unsent.length > MAX_UNSENT_OCTETS) this.send();
  }

  /** Sends the output, unless a write is unfinished. */
  send(): void {
    if (this.#unsent === '' || this.#writing !== undefined) return;
    const text = this.#unsent;
    this.#unsent = '';
    if (this.#broken === undefined) this.write(text);
  }

  /** Sends the output. Returns a promise if the transport accepts no more now.
   *
   * @throws PeerGone if the connection broke
   */
  flush(): Promise<void> | undefined {
    this.send();
    if (this.#broken !== undefined) throw this.#broken;
    return this.#writing;
  }

  /**
   * Sends the whole output and waits until the transport accepts more, at most `milliseconds`.
   * Resolves with the milliseconds that remain.
   *
   * @throws PeerGone, TimedOut
   */
  async flushed(milliseconds: number): Promise<number> {
    let remaining = milliseconds;
    for (;;) {
      const writing = this.flush();
      if (writing === undefined) return remaining;
      const wait = this.#deadlines.wait(remaining);
      void writing.then(() => wait.resolve());
      await wait.result;
      remaining = this.#deadlines.remaining(wait);
    }
  }

  /** Writes to the transport. Allowed only while no write is unfinished. */
  write(bytes: Uint8Array | string): void {
    let written: MaybePromise<void>;
    try {
      written = this.#transport.write(bytes);
    } catch (cause) {
      this.break(cause);
      return;
    }
    if (written === undefined) return;
    // The octets are charged and never refused: the conversation hears nothing until the peer has
    // read them.
    this.#memory.charge(bytes.length);
    this.#writing = toPromise(written).then(
      () => this.#end(bytes.length),
      (cause: unknown) => {
        this.#end(bytes.length);
        this.break(cause);
      },
    );
  }

  #end(octets: number): void {
    this.#writing = undefined;
    this.#memory.release(octets);
  }

  /** Discards the output. */
  drop(): void {
    this.#unsent = '';
  }

  /** Records that the connection broke, in a write or in a read. Returns the first such error. */
  break(cause: unknown): PeerGone {
    this.#broken ??= new PeerGone('the connection broke', { cause });
    return this.#broken;
  }
}

/** The most output that is kept before it is sent. */
const MAX_UNSENT_OCTETS = 64 * 1024;
