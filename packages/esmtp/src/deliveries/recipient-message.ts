import type { Deadlines } from '@postern/conversation';
import { isPromise, type MaybePromise } from '@postern/core';
import type { Message, NextHop } from '../delivery.ts';
import { replyFor } from '../error-replies.ts';
import { drop } from '../message/drop.ts';
import { Rejection, type Reply } from '../protocol/reply.ts';

/** How long a delivery may take over a message's end, and over everything else, in milliseconds. */
export interface RecipientMessageOptions {
  readonly deliveryTimeout: number;
  readonly endTimeout: number;
  readonly deadlines: Deadlines;
}

/** One recipient's message among several. Whatever its delivery does, its methods do not fail, and end in time. */
export class RecipientMessage {
  readonly #times: RecipientMessageOptions;
  readonly #onError: (error: unknown) => void;
  #message: Message | undefined;
  #failure: Reply | undefined;

  constructor(times: RecipientMessageOptions, onError: (error: unknown) => void) {
    this.#times = times;
    this.#onError = onError;
  }

  /** Why the recipient does not get the message, if that is so. */
  get failure(): Reply | undefined {
    return this.#failure;
  }

  /** Where the recipient's message has gone on to. */
  get onward(): NextHop | undefined {
    return this.#message?.nextHop?.(0);
  }

  /** True if the sender is sure to be told that the recipient does not get the message. */
  get isNotified(): boolean {
    return this.#message?.isNotified?.(0) === true;
  }

  async open(open: () => Promise<Message>): Promise<void> {
    const opening = open();
    try {
      this.#message = await this.#within(opening);
    } catch (error) {
      this.#fail(error);
      // Nobody waits any more for one that comes too late.
      opening.then((late) => late.abort(error as Error)).catch(() => {});
    }
  }

  write(chunk: Uint8Array): MaybePromise<void> {
    if (this.#failure !== undefined) return;
    try {
      const written = this.#message?.write(chunk);
      if (isPromise(written)) return this.#within(written).catch((error: unknown) => this.#giveUp(error));
    } catch (error) {
      this.#giveUp(error);
    }
  }

  async end(): Promise<Reply | undefined> {
    if (this.#failure !== undefined) return this.#failure;
    try {
      const [result] = (await this.#within(Promise.resolve(this.#message?.end()), this.#times.endTimeout)) ?? [];
      return result;
    } catch (error) {
      this.#fail(error);
      return this.#failure;
    }
  }

  async abort(reason: Error): Promise<void> {
    if (this.#failure !== undefined) return;
    try {
      await this.#within(Promise.resolve(this.#message?.abort(reason)));
    } catch (error) {
      this.#tell(error);
    }
  }

  #within<T>(work: Promise<T>, milliseconds = this.#times.deliveryTimeout): Promise<T> {
    return this.#times.deadlines.within(milliseconds, work);
  }

  /** The others are not to wait for this one's aborting. */
  #giveUp(error: unknown): void {
    void this.abort(error as Error);
    this.#fail(error);
  }

  #fail(error: unknown): void {
    this.#failure = replyFor(error);
    this.#tell(error);
  }

  #tell(error: unknown): void {
    if (error instanceof Rejection) return;
    try {
      drop(this.#onError(error));
    } catch {
      // A log that does not work is no reason to refuse mail.
    }
  }
}
