import { Closing, type Conversation, ConversationError, TimedOut } from '@postern/conversation';
import { isPromise, type MaybePromise } from '@postern/core';
import { TemporaryFailure } from '@postern/cred';
import { ConversationMind, reportError } from '@postern/sasl-profile';
import { ProtocolError } from './protocol-error.ts';
import type { LookupSettings } from './settings.ts';

/** One connection of a mail server that asks questions: its times, its events and its end. */
export class LookupSession {
  readonly conversation: Conversation;
  readonly settings: LookupSettings;
  /** The mind of the mail server. */
  readonly mind: ConversationMind;
  readonly #ended: PromiseWithResolvers<void> = Promise.withResolvers();

  constructor(conversation: Conversation, settings: LookupSettings) {
    this.conversation = conversation;
    this.settings = settings;
    this.mind = new ConversationMind(conversation, settings.protocol);
    conversation.readTimeout = settings.limits.idleTimeout;
  }

  /** Resolves when the connection has closed. Never rejects. */
  get completed(): Promise<void> {
    return this.#ended.promise;
  }

  /** Limits the time of a request whose first octets have arrived. */
  beginRequest(): void {
    this.conversation.expireIn(this.settings.limits.requestTimeout);
  }

  /** Lifts the limit: the whole request has arrived. */
  endRequest(): void {
    this.conversation.expireIn(Number.POSITIVE_INFINITY);
    // A listener that runs out of connections closes those that have asked nothing first.
    this.conversation.standing = 'authenticated';
  }

  /**
   * Limits the time of an answer that is a promise.
   *
   * @throws TemporaryFailure as a rejection, which names the limit
   */
  inTime<T>(answer: MaybePromise<T>): MaybePromise<T> {
    if (!isPromise(answer)) return answer;
    const { requestTimeout } = this.settings.limits;
    return this.conversation.within(requestTimeout, answer).catch((error: unknown) => {
      // As an error of the conversation, it would count as the client's, and be in no log.
      if (!(error instanceof TimedOut)) throw error;
      throw new TemporaryFailure(`the answer took more than ${requestTimeout} ms`, { cause: error });
    });
  }

  /** Reports a question without an answer. */
  reportError(error: unknown): void {
    reportError(this.settings.events, this.mind, 'session', error);
  }

  /** Closes the connection: the mail server has ended its side. */
  ended(): void {
    void this.conversation.close().then(this.#ended.resolve);
  }

  /** Reports the error that has ended the hear, and closes the connection. */
  failed(error: unknown): void {
    if (error instanceof ProtocolError) {
      this.settings.events.report({ mind: this.mind, kind: 'protocol-error', problem: error.message });
    } else if (!(error instanceof ConversationError)) this.reportError(error);
    // Postfix sees the end of an idle connection only at its next question. The wait for Postfix's
    // end would keep the shutdown, and each answer has been sent.
    if (error instanceof Closing) this.conversation.destroy();
    this.ended();
  }
}
