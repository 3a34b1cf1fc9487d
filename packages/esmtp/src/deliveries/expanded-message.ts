import { after, type MaybePromise } from '@postern/core';
import type { Message, NextHop, RecipientResult, ReportResult } from '../delivery.ts';

/** A message for more, or other, recipients than the client named: their results become those of the client's. */
export class ExpandedMessage implements Message {
  readonly keepsChunks: boolean;
  readonly #message: Message;
  /** The recipients of the message that each recipient of the client has become. */
  readonly #indexes: readonly (readonly number[])[];
  /** Of the targets, once they are known. */
  #results: readonly RecipientResult[] = [];

  constructor(message: Message, indexes: readonly (readonly number[])[]) {
    this.keepsChunks = message.keepsChunks ?? true;
    this.#message = message;
    this.#indexes = indexes;
  }

  /** The next server of the first target that has one of which the sender may be told. */
  nextHop(recipient: number): NextHop | undefined {
    const nextServers = (this.#indexes[recipient] ?? []).map((index) => this.#message.nextHop?.(index));
    return nextServers.find((next) => next?.success !== undefined) ?? nextServers.find((next) => next !== undefined);
  }

  /** True if the sender is sure to be told of each target that failed. */
  isNotified(recipient: number): boolean {
    const failed = (this.#indexes[recipient] ?? []).filter((index) => this.#results[index]?.positive === false);
    return failed.length > 0 && failed.every((index) => this.#message.isNotified?.(index) === true);
  }

  write(chunk: Uint8Array): MaybePromise<void> {
    return this.#message.write(chunk);
  }

  end(tell?: ReportResult): MaybePromise<void | readonly RecipientResult[]> {
    const ended = this.#message.end(tell && this.#collector(tell));
    return after(ended, (results) => {
      // Where nobody checks types, what is no list is no word that the message was taken.
      if (!Array.isArray(results)) return results;
      this.#results = results;
      return this.#indexes.map((indexes) => worst(indexes.map((index) => results[index] as RecipientResult)));
    });
  }

  abort(reason: Error): MaybePromise<void> {
    return this.#message.abort(reason);
  }

  /** Tells of a recipient when the results of all of its targets are known. */
  #collector(tell: ReportResult): ReportResult {
    const results = new Map<number, RecipientResult>();
    const waiting = new Map<number, number[]>();
    const missing = this.#indexes.map((indexes) => new Set(indexes).size);
    for (const [recipient, indexes] of this.#indexes.entries()) {
      for (const index of new Set(indexes)) waiting.set(index, [...(waiting.get(index) ?? []), recipient]);
    }
    return (index, result) => {
      if (results.has(index)) return;
      results.set(index, result);
      for (const recipient of waiting.get(index) ?? []) {
        missing[recipient] = (missing[recipient] ?? 0) - 1;
        if (missing[recipient] !== 0) continue;
        tell(recipient, worst((this.#indexes[recipient] ?? []).map((target) => results.get(target))));
      }
    };
  }
}

/** A failure that may pass comes before one that stays: a duplicate is better than a loss (RFC 5321 §4.2.5). */
function worst(results: readonly RecipientResult[]): RecipientResult {
  const failures = results.filter((result) => result?.positive === false);
  return failures.find((failure) => failure !== undefined && failure.code < 500) ?? failures[0] ?? results[0];
}
