import { type Deadlines, Waiter } from './deadlines.ts';
import type { Input } from './input.ts';
import type { Output } from './output.ts';
import type { Transport } from './transport.ts';

/** The parts of a conversation that its end needs. */
interface ClosingConversation {
  readonly transport: Transport;
  readonly readTimeout: number;
  destroy(): void;
}

/** The end of a conversation: its last output, and the wait for the peer to end its side. */
export class Linger extends Waiter {
  /** Resolves when the conversation is destroyed. */
  readonly completed: Promise<void>;
  readonly #conversation: ClosingConversation;
  readonly #input: Input;
  readonly #output: Output;
  readonly #deadlines: Deadlines;
  readonly #resolve: () => void;
  #ended = false;

  constructor(conversation: ClosingConversation, input: Input, output: Output, deadlines: Deadlines) {
    super();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#conversation = conversation;
    this.#input = input;
    this.#output = output;
    this.#deadlines = deadlines;
    this.completed = promise;
    this.#resolve = resolve;
  }

  /** Sends the last output, ends this side, and waits for the peer. Never throws. */
  begin(): void {
    const milliseconds = Math.min(this.#conversation.readTimeout, MAX_LINGER_MS);
    try {
      if (this.#output.flush() === undefined) this.#endSide(milliseconds);
      else {
        this.#output
          .flushed(milliseconds)
          .then((remaining) => this.#endSide(remaining))
          .catch(() => this.end());
      }
    } catch {
      // The connection broke.
      this.end();
    }
  }

  /** Destroys the conversation: its connection has closed or broken. */
  end(): void {
    this.#ended = true;
    this.#deadlines.end(this);
    this.#conversation.destroy();
    this.#resolve();
  }

  /** Destroys the conversation: the time is over. */
  override fail(): void {
    this.end();
  }

  #endSide(milliseconds: number): void {
    if (this.#ended) return;
    this.#conversation.transport.end();
    this.#deadlines.begin(this, milliseconds);
    // Closing a socket with unread input resets the connection, and the peer may lose the last
    // reply.
    this.#input.discard();
  }
}

/** The most milliseconds that a closing conversation waits for the peer to end its side. */
const MAX_LINGER_MS = 5_000;
