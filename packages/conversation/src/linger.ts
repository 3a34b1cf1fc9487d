import { Waiter } from './deadlines.ts';

/** The wait of a closing conversation for the peer to end its side. */
export class Linger extends Waiter {
  /** Resolves when the conversation is destroyed. */
  readonly completed: Promise<void>;
  readonly #conversation: { destroy(): void };
  readonly #resolve: () => void;

  constructor(conversation: { destroy(): void }) {
    super();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#conversation = conversation;
    this.completed = promise;
    this.#resolve = resolve;
  }

  /** Destroys the conversation: its connection has closed or broken. */
  end(): void {
    this.#conversation.destroy();
    this.#resolve();
  }

  /** Destroys the conversation: the time is over. */
  override fail(): void {
    this.end();
  }
}
