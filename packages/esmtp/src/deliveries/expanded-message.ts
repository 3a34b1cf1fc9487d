import { after, type MaybePromise } from '@postern/core';
import type { EndResult, Message, NextHop, RecipientResult, ReportResult } from '../delivery.ts';
import { recipientResults } from '../message/results.ts';

/**
 * A message for the mailboxes that aliases stand for. The results of the mailboxes become the
 * results of the recipients that the client named.
 */
export class ExpandedMessage implements Message {
  readonly keepsChunks: boolean;
  readonly #message: Message;
  readonly #targets: readonly (readonly number[])[];
  readonly #targetCount: number;
  #results: readonly RecipientResult[] = [];

  /**
   * @param targets For each recipient of the client, its recipients in `message`, counted from 0.
   * @param targetCount The number of recipients in `message`.
   */
  constructor(message: Message, targets: readonly (readonly number[])[], targetCount: number) {
    this.keepsChunks = message.keepsChunks ?? true;
    this.#message = message;
    this.#targets = targets;
    this.#targetCount = targetCount;
  }

  /**
   * Returns the next server of the first target with a next server, and rather of one whose success
   * may be reported.
   */
  nextHop(recipient: number): NextHop | undefined {
    const hops = this.#targetsOf(recipient).map((target) => this.#message.nextHop?.(target));
    return hops.find((hop) => hop?.success !== undefined) ?? hops.find((hop) => hop !== undefined);
  }

  /** Returns true if the sender is sure to get a notification about each target that failed. */
  isNotified(recipient: number): boolean {
    const failed = this.#targetsOf(recipient).filter((target) => this.#results[target]?.positive === false);
    return failed.length > 0 && failed.every((target) => this.#message.isNotified?.(target) === true);
  }

  write(chunk: Uint8Array): MaybePromise<void> {
    return this.#message.write(chunk);
  }

  end(report?: ReportResult): MaybePromise<EndResult> {
    const ended = this.#message.end(report && this.#reportTo(report));
    return after(ended, (result) => {
      this.#results = recipientResults(result, this.#targetCount);
      if (!Array.isArray(result)) return result;
      return this.#targets.map((targets) => worst(targets.map((target) => this.#results[target])));
    });
  }

  abort(reason: Error): MaybePromise<void> {
    return this.#message.abort(reason);
  }

  /** Returns a function that reports a recipient once the results of all its targets are known. */
  #reportTo(report: ReportResult): ReportResult {
    const results = new Map<number, RecipientResult>();
    const recipientsOf = new Map<number, number[]>();
    const missing = this.#targets.map((targets) => new Set(targets).size);
    for (const [recipient, targets] of this.#targets.entries()) {
      for (const target of new Set(targets)) {
        recipientsOf.set(target, [...(recipientsOf.get(target) ?? []), recipient]);
      }
    }
    return (target, result) => {
      if (results.has(target)) return;
      results.set(target, result);
      for (const recipient of recipientsOf.get(target) ?? []) {
        missing[recipient] = (missing[recipient] ?? 0) - 1;
        if (missing[recipient] !== 0) continue;
        report(recipient, worst(this.#targetsOf(recipient).map((other) => results.get(other))));
      }
    };
  }

  #targetsOf(recipient: number): readonly number[] {
    return this.#targets[recipient] ?? [];
  }
}

/**
 * Puts a temporary failure before a permanent one: a duplicate is better than a loss
 * (RFC 5321 §4.2.5).
 */
function worst(results: readonly RecipientResult[]): RecipientResult {
  const failures = results.filter((result) => result?.positive === false);
  return failures.find((failure) => failure !== undefined && failure.code < 500) ?? failures[0] ?? results[0];
}
