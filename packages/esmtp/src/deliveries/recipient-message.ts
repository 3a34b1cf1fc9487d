import type { Deadlines } from '@postern/conversation';
import { isPromise, type MaybePromise } from '@postern/core';
import type { Message, NextHop, RecipientResult } from '../delivery.ts';
import { replyFor } from '../error-replies.ts';
import { recipientResults } from '../message/results.ts';
import { Rejection, type Reply } from '../protocol/reply.ts';

/** The timeouts of a {@link RecipientMessage}, in milliseconds. */
export interface RecipientMessageTimeouts {
  /** For each call but `end`. */
  readonly deliveryTimeout: number;
  /** For `end`. */
  readonly endTimeout: number;
  readonly deadlines: Deadlines;
}

/**
 * The message of one recipient among several. Its methods never throw or reject, and end in time:
 * an error becomes the recipient's `failure`.
 */
export class RecipientMessage {
  readonly #timeouts: RecipientMessageTimeouts;
  readonly #onError: (error: unknown) => void;
  #message: Message | undefined;
  #failure: Reply | undefined;

  constructor(timeouts: RecipientMessageTimeouts, onError: (error: unknown) => void) {
    this.#timeouts = timeouts;
    this.#onError = onError;
  }

  /** The reply that refuses the message for the recipient; undefined while there is no failure. */
  get failure(): Reply | undefined {
    return this.#failure;
  }

  get nextHop(): NextHop | undefined {
    return this.#message?.nextHop?.(0);
  }

  get isNotified(): boolean {
    return this.#message?.isNotified?.(0) === true;
  }

  async open(open: () => Promise<Message>): Promise<void> {
    const opening = open();
    try {
      this.#message = await this.#within(opening);
    } catch (error) {
      this.#fail(error);
      // A message that opens after the timeout is aborted.
      opening.then((late) => late.abort(error as Error)).catch(() => {});
    }
  }

  write(chunk: Uint8Array): MaybePromise<void> {
    if (this.#failure !== undefined) return;
    try {
      const written = this.#message?.write(chunk);
      if (isPromise(written)) return this.#within(written).catch((error: unknown) => this.#abortAndFail(error));
    } catch (error) {
      this.#abortAndFail(error);
    }
  }

  async end(): Promise<RecipientResult> {
    if (this.#failure !== undefined) return this.#failure;
    try {
      const ended = await this.#within(Promise.resolve(this.#message?.end()), this.#timeouts.endTimeout);
      return recipientResults(ended, 1)[0];
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
      this.#report(error);
    }
  }

  #within<T>(work: Promise<T>, milliseconds = this.#timeouts.deliveryTimeout): Promise<T> {
    return this.#timeouts.deadlines.within(milliseconds, work);
  }

  /** Does not wait for the abort: the other recipients would wait too. */
  #abortAndFail(error: unknown): void {
    void this.abort(error as Error);
    this.#fail(error);
  }

  #fail(error: unknown): void {
    this.#failure = replyFor(error);
    this.#report(error);
  }

  #report(error: unknown): void {
    if (!(error instanceof Rejection)) callListener(() => this.#onError(error));
  }
}

/**
 * Calls an `onError`. Ignores the error that it throws, or rejects with: a broken log must not
 * refuse mail.
 */
export function callListener(call: () => unknown): void {
  try {
    const result = call();
    if (isPromise(result)) result.then(undefined, () => {});
  } catch {
    // The listener is broken: no other listener is left to report that to.
  }
}
