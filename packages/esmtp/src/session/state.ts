import type { MaybePromise } from '@postern/core';
import type { Recipient } from '../delivery.ts';
import type { BdatMessage } from '../message/bdat-message.ts';
import { asDeliveryFailure } from '../message/delivery-failed.ts';
import type { MessageSession } from '../message/message-session.ts';
import { ReceivedFieldCache } from '../message/received.ts';
import type { ReversePath } from '../protocol/address.ts';
import type { ExtensionContext } from '../protocol/extension.ts';
import type { MailParameters } from '../protocol/parameters.ts';
import type { Next, Phase } from '../protocol/phases.ts';
import { Reply } from '../protocol/reply.ts';
import { Client } from './client.ts';
import type { ReplyReceiver } from './reply-result.ts';

/** A transaction, from MAIL to the end of its message. */
export interface Transaction {
  readonly reversePath: ReversePath;
  readonly parameters: MailParameters;
  recipients: Recipient[];
  /** The message that a BDAT has begun, or the refusal of a message that could not be opened. */
  chunks: BdatMessage | Reply | undefined;
}

/** The state of one session: its client, its phase, its transaction, and its counts. */
export class State extends Client implements MessageSession, ExtensionContext {
  phase: Phase = 'start';
  /** The phase that follows if the current command succeeds. */
  next: Next | undefined;
  /** The phase to which the end of a transaction leads. */
  idlePhase: 'start' | 'plain' | 'extended' = 'start';
  transaction: Transaction | undefined;
  #receivedFields: ReceivedFieldCache | undefined;
  /** Octets of memory that the transaction, or its message, has charged. */
  #envelopeOctets = 0;
  /** MAIL commands so far. */
  transactions = 0;
  /** Receives the reply of a command that has no reply yet. */
  replies: ReplyReceiver = NO_RECEIVER;
  /** Octets of the current command line. */
  lineOctets = 0;

  /** True after EHLO or LHLO. */
  get extended(): boolean {
    return this.idlePhase === 'extended';
  }

  get receivedFields(): ReceivedFieldCache {
    this.#receivedFields ??= new ReceivedFieldCache();
    return this.#receivedFields;
  }

  /** Enters the phase to which the current command leads, once. */
  advance(): void {
    const { next } = this;
    this.next = undefined;
    if (next !== undefined) this.enterPhase(next);
  }

  /** Enters a phase. Entering an idle phase ends the transaction. */
  enterPhase(next: Next): void {
    if (next === 'same') return;
    if (next === 'closed') {
      this.closeReason = 'quit';
      return;
    }
    if (next === 'start' || next === 'plain' || next === 'extended') this.idlePhase = next;
    this.phase = next === 'idle' ? this.idlePhase : next;
    if (this.phase === this.idlePhase) this.transaction = undefined;
  }

  /**
   * The memory of the path in the current command with its parameters, in octets. Its texts are
   * views of the command line and keep it alive. UTF-8 may take two octets a character.
   */
  get pathCost(): number {
    return PATH_OBJECTS_OCTETS + 2 * this.lineOctets;
  }

  /** Charges memory to the transaction, without a bound. */
  chargeEnvelope(octets: number): void {
    this.conversation.memory.charge(octets);
    this.#envelopeOctets += octets;
  }

  /**
   * Charges memory to the transaction and returns true. Returns false if too little memory is free.
   */
  reserveForEnvelope(octets: number): boolean {
    if (this.conversation.memory.shortageOf(octets) !== undefined) return false;
    this.chargeEnvelope(octets);
    return true;
  }

  /** Releases the transaction's memory, after its last reply. */
  releaseEnvelope(): void {
    if (this.#envelopeOctets === 0) return;
    this.conversation.memory.release(this.#envelopeOctets);
    this.#envelopeOctets = 0;
  }

  /** Aborts a message whose chunks have begun. Never fails. */
  abortMessage(reason?: Error): MaybePromise<void> {
    const chunks = this.transaction?.chunks;
    if (chunks === undefined || chunks instanceof Reply) return;
    return chunks.abortMessage(reason ?? new Error('the client cancelled the message'));
  }

  /** Forgets the junk commands so far, after an accepted message. */
  resetJunk(): void {
    this.junkTenths = 0;
    if (!this.authenticated) this.restartLifetime();
  }

  /**
   * Resolves as the promise of a delivery does. Rejects with a `Rejection` or a `DeliveryFailed`,
   * after at most `milliseconds`.
   */
  async inTime<T>(result: Promise<T>, milliseconds = this.limits.deliveryTimeout): Promise<T> {
    try {
      return await this.conversation.within(milliseconds, result);
    } catch (error) {
      throw asDeliveryFailure(error);
    }
  }
}

const NO_RECEIVER: ReplyReceiver = { resolve() {} };
/** The objects of a path, here and in a delivery. */
const PATH_OBJECTS_OCTETS = 512;
