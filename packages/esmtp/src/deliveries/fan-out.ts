import { isPromise, type MaybePromise } from '@postern/core';
import type { Message, NextHop, RecipientResult, ReportResult } from '../delivery.ts';
import { Rejection, type Reply } from '../protocol/reply.ts';
import type { RecipientMessage } from './recipient-message.ts';

/** A message that goes by several branches, one for each recipient. */
export class FanOut implements Message {
  readonly #branches: readonly RecipientMessage[];

  private constructor(branches: readonly RecipientMessage[]) {
    this.#branches = branches;
  }

  /** Throws a Rejection if every branch has failed: for now if one may come to do. */
  static of(branches: readonly RecipientMessage[]): FanOut {
    const failures = branches.flatMap(({ failure }) => (failure === undefined ? [] : [failure]));
    if (failures.length < branches.length) return new FanOut(branches);
    const reply = failures.find(({ code }) => code < 500) ?? failures[0];
    if (reply === undefined) throw new TypeError('a message has one recipient at least');
    throw new Rejection(reply.code, reply.enhanced ?? '', ...reply.lines);
  }

  nextHop(recipient: number): NextHop | undefined {
    return this.#branches[recipient]?.onward;
  }

  isNotified(recipient: number): boolean {
    return this.#branches[recipient]?.isNotified === true;
  }

  /** Resolves when the slowest has taken the chunk. Each gets a copy of its own: what one does with it is no other's trouble. */
  write(chunk: Uint8Array): MaybePromise<void> {
    const [first, ...others] = this.#branches.filter(({ failure }) => failure === undefined);
    const writes = [...others.map((branch) => branch.write(Buffer.from(chunk))), first?.write(chunk)];
    const pending = writes.filter(isPromise);
    if (pending.length > 0) return Promise.all(pending).then(() => {});
  }

  /**
   * Ends each branch. With one reply for all recipients a temporary failure of one makes that reply temporary, so the client sends the
   * message again: if such a failure is known before the end, no branch keeps the message.
   */
  end(tell?: ReportResult): Promise<readonly RecipientResult[]> {
    const failure = tell === undefined ? this.#temporaryFailure() : undefined;
    if (failure !== undefined) return this.#endNowhere(failure);
    const ended = this.#branches.map(async (branch, at) => {
      const result = await branch.end();
      tell?.(at, result);
      return result;
    });
    return Promise.all(ended);
  }

  /** Returns the first failure so far after which the client may try again. */
  #temporaryFailure(): Reply | undefined {
    return this.#branches.map(({ failure }) => failure).find((failure) => failure !== undefined && failure.code < 500);
  }

  async #endNowhere(failure: Reply): Promise<readonly RecipientResult[]> {
    await this.abort(new Rejection(failure.code, failure.enhanced ?? '4.3.0', ...failure.lines));
    return this.#branches.map((branch) => branch.failure ?? failure);
  }

  async abort(reason: Error): Promise<void> {
    await Promise.all(this.#branches.map((branch) => branch.abort(reason)));
  }
}
