import { isAscii } from 'node:buffer';
import { Deadlines, TimedOut, Warnings } from '@postern/conversation';
import { after, type Clock, type MaybePromise, systemClock } from '@postern/core';
import type {
  Envelope,
  Message,
  MessageDelivery,
  NextHop,
  Recipient,
  RecipientResult,
  ReportResult,
} from '../delivery.ts';
import { drop } from '../message/drop.ts';
import { formatNotification, type Notification, type Outcome } from '../notifications/format-notification.ts';
import { ReturnedContent } from '../notifications/returned-content.ts';
import { wantsFailure, wantsSuccess } from '../notifications/wishes.ts';
import { Rejection } from '../protocol/reply.ts';
import { ForwardingDelivery } from './forwarding-delivery.ts';
import { RecipientMessage, type RecipientMessageOptions } from './recipient-message.ts';

/** Who notifies, by which way, and for how long the client may have to wait for that. */
export interface NotifyingDeliveryOptions {
  /** Where notifications go: messages with the null reverse-path, each to one sender. */
  readonly through: MessageDelivery;
  /** This server's name: a domain, or an address literal. */
  readonly hostname: string;
  /**
   * Hears of a notification that could not be sent, or not in time, and of whose message it was. Default: it becomes a warning of the
   * process, the same one once a minute.
   */
  readonly onError?: (error: unknown, envelope: Envelope) => void;
  /** How long a message's notifications may take, in milliseconds; then the client has its reply without them, which is negative
   * if a failure is not told. Default: 30,000. */
  readonly notifyTimeout?: number;
  /**
   * How long the message's `end` and its notifications may take together, in milliseconds: the client that has given up by then sends a
   * message again that was taken. Default: 615,000, so that it is over before the server's own limit (`endTimeout`). To tell of success
   * may take 10,000 less, or a tenth, so that it is over before a `PerRecipientDelivery` around it gives up.
   */
  readonly endTimeout?: number;
  /** How much of a message is kept, to be returned with a notification, in octets. Default: 65,536. */
  readonly returned?: number;
  /** By default the machine's. */
  readonly clock?: Clock;
}

/**
 * Tells a message's sender what the one reply of SMTP cannot: that it failed for good for some of its recipients (RFC 5321 §6.1), or, to
 * who asks for that, that it was delivered (RFC 3461). Nobody is told twice, and no notification is answered by another one. A failure
 * of which the sender is not told makes the client's reply negative, and so does a temporary failure.
 */
export class NotifyingDelivery extends ForwardingDelivery {
  readonly #facts: NotifierContext;

  constructor(delivery: MessageDelivery, options: NotifyingDeliveryOptions) {
    super(delivery);
    const { clock = systemClock, notifyTimeout = 30_000, endTimeout = 615_000, returned = 65_536, ...given } = options;
    this.#facts = {
      ...given,
      clock,
      notifyTimeout,
      endTimeout,
      returned,
      deadlines: new Deadlines(clock),
      warnings: new Warnings(clock),
    };
  }

  override openMessage(envelope: Envelope): MaybePromise<Message> {
    const opened = super.openMessage(envelope);
    if (!mayNotify(envelope)) return opened;
    return after(opened, (message) => {
      // Whoever is further in tells already.
      return message instanceof NotifyingMessage ? message : new NotifyingMessage(message, envelope, this.#facts);
    });
  }
}

interface NotifierContext extends Required<Omit<NotifyingDeliveryOptions, 'onError'>> {
  readonly onError?: NotifyingDeliveryOptions['onError'];
  readonly deadlines: Deadlines;
  readonly warnings: Warnings;
}

/** A message of which somebody may have to be told. */
class NotifyingMessage implements Message {
  readonly keepsChunks: boolean;
  readonly #message: Message;
  readonly #envelope: Envelope;
  readonly #facts: NotifierContext;
  readonly #arrived = Date.now();
  readonly #returned: ReturnedContent;
  /** The recipients of whose failure a notification is stored. */
  readonly #notified = new Set<number>();

  constructor(message: Message, envelope: Envelope, facts: NotifierContext) {
    const { ret, requireTls = false, body } = envelope.parameters;
    // RFC 3461 §4.3, RFC 8689 §5.
    const wantsAll = ret === 'FULL' && !requireTls && body !== 'BINARYMIME' && mayFailForSome(envelope);
    this.keepsChunks = message.keepsChunks ?? true;
    this.#message = message;
    this.#envelope = envelope;
    this.#facts = facts;
    this.#returned = new ReturnedContent(facts.returned, wantsAll);
  }

  /** Of success nobody else has to tell. */
  nextHop(recipient: number): NextHop {
    return { host: this.#facts.hostname, reply: undefined, ...this.#message.nextHop?.(recipient), success: undefined };
  }

  isNotified(recipient: number): boolean {
    return this.#notified.has(recipient) || this.#message.isNotified?.(recipient) === true;
  }

  write(chunk: Uint8Array): MaybePromise<void> {
    this.#returned.write(chunk);
    return this.#message.write(chunk);
  }

  end(tell?: ReportResult): MaybePromise<void | readonly RecipientResult[]> {
    const { clock, endTimeout } = this.#facts;
    const latest = clock.now() + endTimeout;
    return after(this.#message.end(tell), (results) => {
      // Where nobody checks types, what is no list is no word that the message was taken.
      if (results !== undefined && !Array.isArray(results)) return results;
      const concerned = this.#concerned(results ?? [], tell !== undefined);
      if (concerned.length === 0) return results;
      return this.#notify(concerned, results ?? [], latest).then(() => results);
    });
  }

  abort(reason: Error): MaybePromise<void> {
    return this.#message.abort(reason);
  }

  /** The recipients of whom the sender may have to be told: not of those of whom the client hears, each by itself or all as one. */
  #concerned(results: readonly RecipientResult[], hearsOfEach: boolean): readonly number[] {
    const { recipients } = this.#envelope;
    if (recipients.every((_, at) => hasFailed(results[at]))) return [];
    // The client hears of a temporary failure, and sends the message again.
    if (!hearsOfEach && results.some(isTemporary)) return [];
    return [...recipients.keys()].filter((at) => {
      const recipient = recipients[at] as Recipient;
      if (!hasFailed(results[at])) return wantsSuccess(recipient.parameters);
      return !hearsOfEach && wantsFailure(recipient.parameters) && this.#message.isNotified?.(at) !== true;
    });
  }

  /** One notification of failures, and one of successes. Does not fail: a failure that is not told is the client's to hear of. */
  async #notify(concerned: readonly number[], results: readonly RecipientResult[], latest: number): Promise<void> {
    const { clock, deadlines, notifyTimeout, endTimeout, hostname } = this.#facts;
    const [envelope, arrived, returned] = [this.#envelope, this.#arrived, this.#returned];
    const until = Math.min(latest, clock.now() + notifyTimeout);
    const spare = Math.min(10_000, endTimeout / 10);
    for (const failed of [true, false]) {
      const times = new TimeLeft(deadlines, clock, failed ? until : Math.min(until, latest - spare));
      try {
        const those = concerned.filter((at) => hasFailed(results[at]) === failed);
        const outcomes = those.flatMap((at) => this.#outcome(at, results[at]));
        if (outcomes.length === 0) continue;
        if (times.deliveryTimeout <= 0) throw new TimedOut();
        const report = { hostname, envelope, arrived, now: Date.now(), outcomes, returned };
        await this.#send(formatNotification(report), times);
        if (failed) for (const at of those) this.#notified.add(at);
      } catch (error) {
        this.#tell(error);
      }
    }
  }

  /** None of a success of which the next server tells. */
  #outcome(at: number, result: RecipientResult): readonly Outcome[] {
    const recipient = this.#envelope.recipients[at] as Recipient;
    const onward = this.#onwardOf(at);
    const host = onward?.reply && onward.host;
    if (hasFailed(result)) return [{ recipient, action: 'failed', reply: result, host }];
    const action = onward === undefined ? 'delivered' : onward.success;
    return action === undefined ? [] : [{ recipient, action, reply: result ?? onward?.reply, host }];
  }

  /** Where nobody knows that, whose word it is of success is not known either. */
  #onwardOf(at: number): NextHop | undefined {
    try {
      return this.#message.nextHop?.(at);
    } catch (error) {
      this.#tell(error);
      return { host: this.#facts.hostname, reply: undefined, success: undefined };
    }
  }

  async #send({ id, content, smtpUtf8 }: Notification, times: RecipientMessageOptions): Promise<void> {
    const { reversePath, parameters } = this.#envelope;
    if (reversePath === null) return;
    const { through } = this.#facts;
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
    const branch = new RecipientMessage(times, (error) => {
      cause ??= error;
    });
    await branch.open(async () => {
      await through.validateFrom(null, mail);
      await through.validateTo(recipient.forwardPath, recipient.parameters, mail);
      return await through.openMessage({ reversePath: null, parameters: mail, recipients: [recipient], id });
    });
    await branch.write(content);
    const reply = await branch.end();
    if (reply === undefined || reply.positive) return;
    throw cause ?? new Rejection(reply.code, reply.enhanced ?? `${Math.floor(reply.code / 100)}.0.0`, ...reply.lines);
  }

  #tell(error: unknown): void {
    const { onError, warnings } = this.#facts;
    if (onError === undefined) {
      warnings.warn('a notification was not sent', error);
      return;
    }
    try {
      drop(onError(error, this.#envelope));
    } catch {
      // A log that does not work is no reason to refuse mail.
    }
  }
}

/** What is left of the time until then, for each step anew. */
class TimeLeft implements RecipientMessageOptions {
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

/** The null reverse-path is never answered (RFC 5321 §4.5.5). */
function mayNotify(envelope: Envelope): boolean {
  return (
    envelope.reversePath !== null &&
    (envelope.recipients.some(({ parameters }) => wantsSuccess(parameters)) || mayFailForSome(envelope))
  );
}

function mayFailForSome({ recipients }: Envelope): boolean {
  return recipients.length > 1 && recipients.some(({ parameters }) => wantsFailure(parameters));
}
