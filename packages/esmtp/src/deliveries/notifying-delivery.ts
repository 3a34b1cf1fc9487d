import { isAscii } from 'node:buffer';
import { Deadlines, TimedOut, Warnings } from '@postern/conversation';
import { after, type Clock, type MaybePromise, systemClock } from '@postern/core';
import {
  checkDelivery,
  type EndResult,
  type Envelope,
  type Message,
  type MessageDelivery,
  type NextHop,
  type Recipient,
  type RecipientResult,
  type ReportResult,
} from '../delivery.ts';
import { recipientResults } from '../message/results.ts';
import { formatNotification, type Notification, type Outcome } from '../notifications/format-notification.ts';
import { ReturnedContent } from '../notifications/returned-content.ts';
import { wantsFailure, wantsSuccess } from '../protocol/parameters.ts';
import { Rejection } from '../protocol/reply.ts';
import { ForwardingDelivery } from './forwarding-delivery.ts';
import { callListener, RecipientMessage, type RecipientMessageTimeouts } from './recipient-message.ts';

/** The options of a {@link NotifyingDelivery}. */
export interface NotifyingDeliveryOptions {
  /** The delivery of the notifications: messages with the null reverse-path, each to one sender. */
  readonly through: MessageDelivery;
  /** This server's name: a domain or an address literal. */
  readonly hostname: string;
  /**
   * Called for a notification that was not sent, or not in time, with the envelope of the message
   * that it is about. Default: the error becomes a warning of the process, the same one once a
   * minute.
   */
  readonly onError?: (error: unknown, envelope: Envelope) => void;
  /**
   * The time for the notifications of a message, in milliseconds. After it the client gets its
   * reply without them: a negative reply if a failure has no notification. Default: 30,000.
   */
  readonly notifyTimeout?: number;
  /**
   * The time for the `end` of a message and its notifications together, in milliseconds: a client
   * that waits no longer would send an accepted message again. Default: 615,000, which is less than
   * the server's own limit (`endTimeout`). Notifications of success have 10,000 less, or a tenth
   * less, so that they end before the timeout of a `PerRecipientDelivery` around this delivery.
   */
  readonly endTimeout?: number;
  /** The most octets of a message to return with a notification. Default: 65,536. */
  readonly returned?: number;
  /** Default: the system's clock. */
  readonly clock?: Clock;
}

/**
 * Sends delivery status notifications to the sender of a message (RFC 3464), for the results that
 * SMTP's one reply cannot express: a permanent failure for some of the recipients (RFC 5321 §6.1),
 * or a success that the sender asked for (RFC 3461). A sender gets one notification of each kind,
 * and no notification answers another. A failure without a notification makes the client's reply
 * negative, and so does a temporary failure.
 *
 * @example
 * ```ts
 * import { InMemoryDelivery, NotifyingDelivery, PerRecipientDelivery } from '@postern/esmtp';
 *
 * const mailboxes = new PerRecipientDelivery(() => new InMemoryDelivery());
 * const delivery = new NotifyingDelivery(mailboxes, {
 *   through: mailboxes,
 *   hostname: 'mx.example.com',
 *   onError: (error, { id }) => console.error(`message ${id}: a notification was not sent`, error),
 * });
 * ```
 */
export class NotifyingDelivery extends ForwardingDelivery {
  readonly #context: NotifierContext;

  constructor(delivery: MessageDelivery, options: NotifyingDeliveryOptions) {
    super(delivery);
    checkDelivery(options.through, 'through');
    const { clock = systemClock, notifyTimeout = 30_000, endTimeout = 615_000, returned = 65_536, ...rest } = options;
    const deadlines = new Deadlines(clock);
    const warnings = new Warnings(clock);
    this.#context = { ...rest, clock, notifyTimeout, endTimeout, returned, deadlines, warnings };
  }

  override openMessage(envelope: Envelope): MaybePromise<Message> {
    const opened = super.openMessage(envelope);
    if (!mayNotify(envelope)) return opened;
    return after(opened, (message) => {
      // A NotifyingDelivery inside this one sends the notifications.
      return message instanceof NotifyingMessage ? message : new NotifyingMessage(message, envelope, this.#context);
    });
  }
}

interface NotifierContext extends Required<Omit<NotifyingDeliveryOptions, 'onError'>> {
  readonly onError?: NotifyingDeliveryOptions['onError'];
  readonly deadlines: Deadlines;
  readonly warnings: Warnings;
}

/** A message whose sender may get notifications. */
class NotifyingMessage implements Message {
  readonly keepsChunks: boolean;
  readonly #message: Message;
  readonly #envelope: Envelope;
  readonly #context: NotifierContext;
  readonly #arrived = Date.now();
  readonly #returned: ReturnedContent;
  /** The recipients whose failure has a notification. */
  readonly #notified = new Set<number>();

  constructor(message: Message, envelope: Envelope, context: NotifierContext) {
    const { ret, requireTls = false, body } = envelope.parameters;
    // RFC 3461 §4.3, RFC 8689 §5.
    const returnsAll = ret === 'FULL' && !requireTls && body !== 'BINARYMIME' && mayFailForSome(envelope);
    this.keepsChunks = message.keepsChunks ?? true;
    this.#message = message;
    this.#envelope = envelope;
    this.#context = context;
    this.#returned = new ReturnedContent(context.returned, returnsAll);
  }

  /** Returns a hop whose success needs no notification: this message sends it. */
  nextHop(recipient: number): NextHop {
    const hop = this.#message.nextHop?.(recipient);
    return { host: this.#context.hostname, reply: undefined, ...hop, success: undefined };
  }

  isNotified(recipient: number): boolean {
    return this.#notified.has(recipient) || this.#message.isNotified?.(recipient) === true;
  }

  write(chunk: Uint8Array): MaybePromise<void> {
    this.#returned.write(chunk);
    return this.#message.write(chunk);
  }

  end(report?: ReportResult): MaybePromise<EndResult> {
    const { clock, endTimeout } = this.#context;
    const latest = clock.now() + endTimeout;
    return after(this.#message.end(report), (ended) => {
      const results = recipientResults(ended, this.#envelope.recipients.length);
      const concerned = this.#recipientsToReport(results, report !== undefined);
      return concerned.length === 0 ? ended : this.#notify(concerned, results, latest).then(() => ended);
    });
  }

  abort(reason: Error): MaybePromise<void> {
    return this.#message.abort(reason);
  }

  /** Returns the recipients whose results the client's replies do not tell. */
  #recipientsToReport(results: readonly RecipientResult[], hasReplies: boolean): readonly number[] {
    const { recipients } = this.#envelope;
    if (recipients.every((_, recipient) => hasFailed(results[recipient]))) return [];
    // A temporary failure makes the one reply temporary: the client sends the message again.
    if (!hasReplies && results.some(isTemporary)) return [];
    return [...recipients.keys()].filter((recipient) => {
      const { parameters } = recipients[recipient] as Recipient;
      if (!hasFailed(results[recipient])) return wantsSuccess(parameters);
      return !hasReplies && wantsFailure(parameters) && this.#message.isNotified?.(recipient) !== true;
    });
  }

  /**
   * Sends one notification of failures and one of successes. Never rejects: the client gets a
   * failure without one.
   */
  async #notify(concerned: readonly number[], results: readonly RecipientResult[], latest: number): Promise<void> {
    const { clock, deadlines, notifyTimeout, endTimeout, hostname } = this.#context;
    const [envelope, arrived, returned] = [this.#envelope, this.#arrived, this.#returned];
    const until = Math.min(latest, clock.now() + notifyTimeout);
    const spare = Math.min(10_000, endTimeout / 10);
    for (const failed of [true, false]) {
      const timeouts = new RemainingTime(deadlines, clock, failed ? until : Math.min(until, latest - spare));
      try {
        const recipients = concerned.filter((recipient) => hasFailed(results[recipient]) === failed);
        const outcomes = recipients.flatMap((recipient) => this.#outcomes(recipient, results[recipient]));
        if (outcomes.length === 0) continue;
        if (timeouts.deliveryTimeout <= 0) throw new TimedOut();
        const report = { hostname, envelope, arrived, now: Date.now(), outcomes, returned };
        await this.#send(formatNotification(report), timeouts);
        if (failed) for (const recipient of recipients) this.#notified.add(recipient);
      } catch (error) {
        this.#reportError(error);
      }
    }
  }

  /** Returns one outcome; none for a success that the next server reports. */
  #outcomes(index: number, result: RecipientResult): readonly Outcome[] {
    const recipient = this.#envelope.recipients[index] as Recipient;
    const hop = this.#nextHopOf(index);
    const host = hop?.reply && hop.host;
    if (hasFailed(result)) return [{ recipient, action: 'failed', reply: result, host }];
    const action = hop === undefined ? 'delivered' : hop.success;
    return action === undefined ? [] : [{ recipient, action, reply: result ?? hop?.reply, host }];
  }

  /** After an error, returns a hop that claims no success: it is unknown who would report it. */
  #nextHopOf(recipient: number): NextHop | undefined {
    try {
      return this.#message.nextHop?.(recipient);
    } catch (error) {
      this.#reportError(error);
      return { host: this.#context.hostname, reply: undefined, success: undefined };
    }
  }

  async #send({ id, content, smtpUtf8 }: Notification, timeouts: RecipientMessageTimeouts): Promise<void> {
    const { reversePath, parameters } = this.#envelope;
    if (reversePath === null) return;
    const { through } = this.#context;
    const is8bit = !isAscii(content);
    const mail = {
      size: content.length,
      smtpUtf8,
      ...(is8bit && { body: '8BITMIME' as const }),
      // RFC 8689 §5.
      ...(parameters.requireTls && { requireTls: true }),
    };
    // RFC 3461 §6.1.
    const recipient: Recipient = { forwardPath: reversePath, parameters: { notify: 'NEVER' } };
    let cause: unknown;
    const message = new RecipientMessage(timeouts, (error) => {
      cause ??= error;
    });
    await message.open(async () => {
      await through.validateFrom(null, mail);
      await through.validateTo(recipient.forwardPath, recipient.parameters, mail);
      return await through.openMessage({ reversePath: null, parameters: mail, recipients: [recipient], id });
    });
    await message.write(content);
    const reply = await message.end();
    if (reply === undefined || reply.positive) return;
    throw cause ?? new Rejection(reply.code, reply.enhanced ?? `${Math.floor(reply.code / 100)}.0.0`, ...reply.lines);
  }

  #reportError(error: unknown): void {
    const { onError, warnings } = this.#context;
    if (onError === undefined) warnings.warn('a notification was not sent', error);
    else callListener(() => onError(error, this.#envelope));
  }
}

/** Timeouts that end at one point in time: each step has the time that is left. */
class RemainingTime implements RecipientMessageTimeouts {
  readonly deadlines: Deadlines;
  readonly #clock: Clock;
  readonly #until: number;

  constructor(deadlines: Deadlines, clock: Clock, until: number) {
    this.deadlines = deadlines;
    this.#clock = clock;
    this.#until = until;
  }

  get deliveryTimeout(): number {
    return this.#until - this.#clock.now();
  }

  get endTimeout(): number {
    return this.deliveryTimeout;
  }
}

function isTemporary(result: RecipientResult): boolean {
  return result !== undefined && result.code >= 400 && result.code < 500;
}

function hasFailed(result: RecipientResult): boolean {
  return result?.positive === false;
}

/** The null reverse-path gets no notification (RFC 5321 §4.5.5). */
function mayNotify(envelope: Envelope): boolean {
  return (
    envelope.reversePath !== null &&
    (envelope.recipients.some(({ parameters }) => wantsSuccess(parameters)) || mayFailForSome(envelope))
  );
}

function mayFailForSome({ recipients }: Envelope): boolean {
  return recipients.length > 1 && recipients.some(({ parameters }) => wantsFailure(parameters));
}
