import { isPromise, type MaybePromise } from '@postern/core';
import type { Message, NextHop, RecipientResult, ReportResult } from '../delivery.ts';
import { Rejection, type Reply } from '../protocol/reply.ts';
import type { RecipientMessage } from './recipient-message.ts';

/** A message that consists of one message for each recipient. */
export class PerRecipientMessage implements Message {
  readonly #messages: readonly RecipientMessage[];

  private constructor(messages: readonly RecipientMessage[]) {
    this.#messages = messages;
  }

  /**
   * @throws Rejection if every message has failed to open: a temporary one if one failure is
   * temporary.
   */
  static of(messages: readonly RecipientMessage[]): PerRecipientMessage {
    const failures = messages.flatMap(({ failure }) => (failure === undefined ? [] : [failure]));
    if (failures.length < messages.length) return new PerRecipientMessage(messages);
    const reply = failures.find(({ code }) => code < 500) ?? failures[0];
    if (reply === undefined) throw new TypeError('a message has at least one recipient');
    throw new Rejection(reply.code, reply.enhanced ?? '', ...reply.lines);
  }

  nextHop(recipient: number): NextHop | undefined {
    return this.#messages[recipient]?.nextHop;
  }

  isNotified(recipient: number): boolean {
    return this.#messages[recipient]?.isNotified === true;
  }

  /**
   * Resolves when the slowest message has taken the chunk. Each message gets its own copy, which it
   * may overwrite.
   */
  write(chunk: Uint8Array): MaybePromise<void> {
    const [first, ...others] = this.#messages.filter(({ failure }) => failure === undefined);
    const writes = [...others.map((message) => message.write(Buffer.from(chunk))), first?.write(chunk)];
    const pending = writes.filter(isPromise);
    if (pending.length > 0) return Promise.all(pending).then(() => {});
  }

  /**
   * Ends each message. With one reply for all recipients, a temporary failure of one message makes
   * that reply temporary and the client sends the message again: if such a failure is known before
   * the end, no message is kept.
   */
  end(report?: ReportResult): Promise<readonly RecipientResult[]> {
    const failure = report === undefined ? this.#temporaryFailure() : undefined;
    if (failure !== undefined) return this.#abortAll(failure);
    const ended = this.#messages.map(async (message, recipient) => {
      const result = await message.end();
      report?.(recipient, result);
      return result;
    });
    return Promise.all(ended);
  }

  async abort(reason: Error): Promise<void> {
    await Promise.all(this.#messages.map((message) => message.abort(reason)));
  }

  #temporaryFailure(): Reply | undefined {
    return this.#messages.map(({ failure }) => failure).find((failure) => failure !== undefined && failure.code < 500);
  }

  async #abortAll(failure: Reply): Promise<readonly RecipientResult[]> {
    await this.abort(new Rejection(failure.code, failure.enhanced ?? '4.3.0', ...failure.lines));
    return this.#messages.map((message) => message.failure ?? failure);
  }
}
