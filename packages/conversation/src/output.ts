import type { MaybePromise } from '@postern/core';
import type { Deadlines } from './deadlines.ts';
import { PeerGone } from './errors.ts';
import type { MemoryAccount } from './memory-budget.ts';
import type { Transport } from './transport.ts';

/** What was said and not sent yet, and the write that is under way. */
export class Output {
  readonly #transport: Transport;
  readonly #deadlines: Deadlines;
  readonly #memory: MemoryAccount;
  #said = '';
  #writing: Promise<void> | undefined = undefined;
  #broken: PeerGone | undefined = undefined;

  constructor(transport: Transport, deadlines: Deadlines, memory: MemoryAccount) {
    this.#transport = transport;
    this.#deadlines = deadlines;
    this.#memory = memory;
  }

  /** Resolves, and never rejects, when the transport can take more; undefined if it can now. */
  get writing(): Promise<void> | undefined {
    return this.#writing;
  }

  /** How the connection broke, if it did. */
  get broken(): PeerGone | undefined {
    return this.#broken;
  }

  /** Says something. What is too much to keep is sent if it can be. */
  say(text: string): void {
    this.#said += text;
    if (this.#said.length > MAX_UNSENT_OCTETS) this.send();
  }

  /** Sends what was said, unless a write is under way. */
  send(): void {
    if (this.#said === '' || this.#writing !== undefined) return;
    const text = this.#said;
    this.#said = '';
    if (this.#broken === undefined) this.write(text);
  }

  /** The same; comes to a promise if the transport can take no more now. Throws PeerGone if the connection broke. */
  flush(): Promise<void> | undefined {
    this.send();
    if (this.#broken !== undefined) throw this.#broken;
    return this.#writing;
  }

  /**
   * Sends all that was said and waits until the transport can take more, at most so many milliseconds; comes to those that are left.
   * Rejects with PeerGone and TimedOut.
   */
  async flushed(milliseconds: number): Promise<number> {
    let left = milliseconds;
    for (;;) {
      const writing = this.flush();
      if (writing === undefined) return left;
      const wait = this.#deadlines.wait(left);
      void writing.then(() => wait.resolve());
      await wait.result;
      left = this.#deadlines.remaining(wait);
    }
  }

  /** Writes at once. Only while no write is under way. */
  write(bytes: Uint8Array | string): void {
    let written: MaybePromise<void>;
    try {
      written = this.#transport.write(bytes);
    } catch (cause) {
      this.break(cause);
      return;
    }
    if (written === undefined) return;
    // Refusing it is too late: the peer is not heard until it has taken this.
    this.#memory.charge(bytes.length);
    this.#writing = written.then(
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

  /** Forgets what was said. */
  drop(): void {
    this.#said = '';
  }

  /** The connection broke: in a write, or as whoever reads has found out. Comes to how, as it was found out first. */
  break(cause: unknown): PeerGone {
    this.#broken ??= new PeerGone('the connection broke', { cause });
    return this.#broken;
  }
}

/** How much may be said before it is sent, waiting or not: a bound of memory. */
const MAX_UNSENT_OCTETS = 64 * 1024;
