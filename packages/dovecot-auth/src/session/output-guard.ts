import type { Conversation } from '@postern/conversation';
import { type Clock, isPromise } from '@postern/core';

/**
 * The replies of a session. Replies of one turn share one write. A peer that takes no octets for
 * the write timeout is reported once.
 */
export class OutputGuard {
  readonly #conversation: Conversation;
  readonly #clock: Clock;
  readonly #writeTimeout: number;
  readonly #onStuck: () => void;
  #isScheduled = false;
  #timer: Disposable | undefined;
  #isClosed = false;

  constructor(conversation: Conversation, clock: Clock, writeTimeout: number, onStuck: () => void) {
    this.#conversation = conversation;
    this.#clock = clock;
    this.#writeTimeout = writeTimeout;
    this.#onStuck = onStuck;
  }

  /** Appends a reply, which leaves at the end of this turn. */
  say(text: string): void {
    this.#conversation.say(text);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(this.#flush);
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
  }

  readonly #flush = (): void => {
    this.#isScheduled = false;
    if (this.#isClosed || this.#timer !== undefined) return;
    try {
      const flushed = this.#conversation.flush();
      if (isPromise(flushed)) this.#watch(flushed);
    } catch {
      // The connection broke: the hear reports it.
    }
  };

  #watch(flushed: Promise<void>): void {
    this.#timer = this.#clock.after(this.#writeTimeout, this.#onStuck);
    const done = (): void => {
      this.#timer?.[Symbol.dispose]();
      this.#timer = undefined;
    };
    flushed.then(
      () => {
        done();
        this.#flush();
      },
      // The connection broke: the hear reports it.
      done,
    );
  }
}
