import { setTimeout } from 'node:timers/promises';
import { after } from '@postern/core';
import type { AvatarFactory, AvatarId, MaybePromise, Mind } from '@postern/cred';
import type { MessageDelivery } from '@postern/esmtp';
import { StartError } from './errors.ts';
import type { Log } from './log.ts';
import type { MailboxSource } from './mailbox-source.ts';

/** The outputs of the command. */
export interface CommandOutput {
  readonly log: Log;
  /** Writes to the standard output. Rejects if the standard output is closed. */
  readonly print: (text: string) => Promise<void>;
}

/** The outputs and settings of the command that a {@link DeliveryTarget} may use. */
export interface DeliveryTargetContext extends CommandOutput {
  /** The server's name. */
  readonly hostname: string;
  /** The characters that separate a tag from a user in an address. Default: `+`. */
  readonly recipientDelimiter?: string;
}

/** Returns the delivery of one user at each login. */
export interface DeliveryFactory extends AvatarFactory<MessageDelivery> {
  /** Runs before the server listens. Rejects with a StartError if no message could be delivered. */
  readonly prepare?: () => Promise<void>;
  /**
   * True if messages are stored here, as in Maildirs: then the settings must say which recipients
   * are local. Default: false.
   */
  readonly isLocal?: boolean;
}

/**
 * The value of `deliver` and `notify` in the config file, as `relay()` and `maildir()` return it.
 */
export class DeliveryTarget {
  /**
   * Returns the factory of deliveries, or a promise of the factory. The server calls `open` once,
   * before it listens.
   *
   * @throws UsageError for a target that cannot work.
   */
  readonly open: (context: DeliveryTargetContext) => MaybePromise<DeliveryFactory>;
  /** The mailboxes that the target delivers into, for POP3. Undefined if mail is sent on. */
  readonly mailboxes: MailboxSource | undefined;

  constructor(open: (context: DeliveryTargetContext) => MaybePromise<DeliveryFactory>, mailboxes?: MailboxSource) {
    this.open = open;
    this.mailboxes = mailboxes;
  }
}

/**
 * Returns a factory that wraps each delivery of `inner`. Preparation and disposal are those of
 * `inner` and `others`.
 */
export function wrapDeliveries(
  inner: DeliveryFactory,
  wrap: (delivery: MessageDelivery, avatarId: AvatarId, mind: Mind) => MessageDelivery,
  others: readonly DeliveryFactory[] = [],
): DeliveryFactory {
  const outer: DeliveryFactory = (avatarId, mind) =>
    after(inner(avatarId, mind), (delivery) => wrap(delivery, avatarId, mind));
  // One factory may be the target of messages and of notifications.
  const all = new Set([inner, ...others]);
  return Object.assign(outer, {
    isLocal: inner.isLocal ?? false,
    async prepare() {
      for (const factory of all) await factory.prepare?.();
    },
    [Symbol.asyncDispose]: () => disposeOfAll(all),
  });
}

/**
 * Prepares the factory for messages. The system may never answer: Node, for one, creates a folder
 * and its parents below /proc without end.
 *
 * @throws StartError after `timeout` milliseconds, or the error of `prepare`.
 */
export async function prepareDelivery(factory: DeliveryFactory, timeout = PREPARE_TIMEOUT_MS): Promise<void> {
  const timer = new AbortController();
  const late = setTimeout(timeout, undefined, { signal: timer.signal }).then(() => {
    throw new StartError(`--deliver: not ready after ${timeout} ms; expected a target that answers`);
  });
  try {
    await Promise.race([factory.prepare?.(), late]);
  } finally {
    timer.abort();
    late.catch(() => {});
  }
}

/** Disposes of the resource by `Symbol.asyncDispose` or `Symbol.dispose`, if it has one of them. */
export async function disposeOf(resource: object & Partial<AsyncDisposable & Disposable>): Promise<void> {
  if (Symbol.asyncDispose in resource) await resource[Symbol.asyncDispose]?.();
  else resource[Symbol.dispose]?.();
}

/**
 * Disposes of all resources at the same time. Rejects with the first error after all have ended.
 */
export async function disposeOfAll(resources: Iterable<object>): Promise<void> {
  const disposals = Array.from(resources, disposeOf);
  await Promise.allSettled(disposals);
  await Promise.all(disposals);
}

const PREPARE_TIMEOUT_MS = 30_000;
