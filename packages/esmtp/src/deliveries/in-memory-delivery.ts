import type { MaybePromise } from '@postern/core';
import type { AvatarId, Mind } from '@postern/cred';
import {
  type Envelope,
  type MailParameters,
  type Message,
  MessageDelivery,
  type RcptParameters,
  type ReceivedTrace,
} from '../delivery.ts';
import { formatReceived } from '../message/received.ts';
import type { ForwardPath, ReversePath } from '../protocol/address.ts';
import { Rejection } from '../protocol/reply.ts';

/**
 * The limits of an {@link InMemoryDelivery}. A message that exceeds one is refused with 452 4.3.1.
 */
export interface InMemoryDeliveryOptions {
  /** The most messages. Default: 1,000. */
  readonly maxMessages?: number;
  /** The most octets of all messages together. Default: 64 MiB. */
  readonly maxOctets?: number;
}

/** A message that an {@link InMemoryDelivery} has accepted. */
export interface DeliveredMessage {
  readonly envelope: Envelope;
  /** The message with its `Received:` field, without dot stuffing. */
  readonly content: Uint8Array;
  /** The content, decoded as UTF-8. */
  readonly text: string;
  /**
   * The user that sent the message; undefined behind a delivery that does not pass `receivedHeader`
   * on.
   */
  readonly avatarId: AvatarId | undefined;
  /** The client that sent the message; undefined where `avatarId` is. */
  readonly mind: Mind | undefined;
}

/**
 * A delivery that keeps messages in memory, as objects: for tests. It accepts each sender and each
 * recipient; a subclass overrides `validateFrom` or `validateTo` to refuse some. Its memory is
 * bounded.
 *
 * @example
 * ```ts
 * import { esmtp, InMemoryDelivery, MessageDelivery } from '@postern/esmtp';
 * import { dialogue, portalFor } from '@postern/testing';
 *
 * const delivery = new InMemoryDelivery();
 * const portal = portalFor({ ann: 'secret' }, MessageDelivery, () => delivery);
 * await dialogue(esmtp({ hostname: 'mx.example.com', portal }), `
 *   S: 220...
 *   C: EHLO client.example.org
 *   S: 250...
 *   C: AUTH PLAIN {base64:\\0ann\\0secret}
 *   S: 235...
 *   C: MAIL FROM:<ann@example.com>
 *   S: 250...
 *   C: RCPT TO:<bob@example.com>
 *   S: 250...
 *   C: DATA
 *   S: 354...
 *   C: Subject: Hello
 *   C: .
 *   S: 250...`, { tlsPolicy: 'implicit' });
 * console.log(delivery.messages[0]?.avatarId, delivery.messages[0]?.text);
 * ```
 */
export class InMemoryDelivery extends MessageDelivery {
  readonly #maxMessages: number;
  readonly #maxOctets: number;
  readonly #messages: DeliveredMessage[] = [];
  /** Traces of messages that are not open yet, by the ids of their envelopes. */
  readonly #traces = new Map<string, ReceivedTrace>();
  readonly #waiting = new Set<() => void>();
  /** The octets of all messages, of open ones too. */
  #octets = 0;

  constructor({ maxMessages = 1_000, maxOctets = 64 * 1024 * 1024 }: InMemoryDeliveryOptions = {}) {
    super();
    this.#maxMessages = maxMessages;
    this.#maxOctets = maxOctets;
  }

  /** The accepted messages, in the order in which they were completed. */
  get messages(): readonly DeliveredMessage[] {
    return this.#messages;
  }

  /**
   * Resolves to the messages once there are at least `count`. Rejects with the reason of `signal`
   * when it aborts; without a signal the promise may stay pending.
   */
  async waitFor(count: number, signal?: AbortSignal): Promise<readonly DeliveredMessage[]> {
    while (this.#messages.length < count) {
      signal?.throwIfAborted();
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#waiting.add(resolve);
      signal?.addEventListener('abort', () => resolve(), { once: true });
      await promise;
      this.#waiting.delete(resolve);
    }
    return this.#messages;
  }

  /** Removes all messages. */
  clear(): void {
    for (const { content } of this.#messages.splice(0)) this.#octets -= content.length;
  }

  validateFrom(_reversePath: ReversePath, _parameters: MailParameters): MaybePromise<void> {}

  /** @throws Rejection 452 4.3.1 if the declared size is too large (RFC 1870 §6.1). */
  validateTo(_forwardPath: ForwardPath, _parameters: RcptParameters, mail?: MailParameters): MaybePromise<void> {
    this.#checkRoom(mail?.size);
  }

  /** Returns the usual field. Keeps the trace, which has the user and the client. */
  override receivedHeader(trace: ReceivedTrace): string | undefined {
    this.#traces.set(trace.envelope.id, trace);
    const [oldest] = this.#traces.keys();
    if (this.#traces.size > MAX_TRACES && oldest !== undefined) this.#traces.delete(oldest);
    return formatReceived(trace);
  }

  /** @throws Rejection 452 4.3.1 if there are `maxMessages`. */
  openMessage(envelope: Envelope): Message {
    const trace = this.#traces.get(envelope.id);
    this.#traces.delete(envelope.id);
    this.#checkRoom();
    return this.#open(envelope, trace);
  }

  #open(envelope: Envelope, trace: ReceivedTrace | undefined): Message {
    const chunks: Buffer[] = [];
    let octets = 0;
    const release = (): void => {
      this.#octets -= octets;
    };
    return {
      keepsChunks: false,
      write: (chunk) => {
        octets += chunk.length;
        this.#octets += chunk.length;
        this.#checkRoom();
        chunks.push(Buffer.from(chunk));
      },
      end: () => {
        try {
          this.#checkRoom();
        } catch (error) {
          release();
          throw error;
        }
        const content = Buffer.concat(chunks);
        const text = content.toString();
        this.#messages.push({ envelope, content, text, avatarId: trace?.avatarId, mind: trace?.mind });
        for (const resolve of this.#waiting) resolve();
      },
      abort: release,
    };
  }

  #checkRoom(octets = 0): void {
    if (this.#messages.length < this.#maxMessages && this.#octets + octets <= this.#maxOctets) return;
    throw new Rejection(452, '4.3.1', 'Insufficient system storage');
  }
}

const MAX_TRACES = 100;
