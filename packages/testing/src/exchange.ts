import type { Interface, Login, Mind, Portal } from '@postern/cred';
import { authenticate, type Challenger, ExchangeCancelled, ExchangeError, NO_BYTES } from '@postern/sasl';
import { AuthenticationFailure, type Channel, type Responder, SaslFailure } from '@postern/sasl/client';
import { TestAvatar } from './portal-for.ts';
import { testMind } from './test-mind.ts';

/** The two sides of an exchange, and changes of its messages. */
export interface ExchangeOptions {
  /** Judges the credentials. */
  readonly portal: Portal;
  /** The server's knowledge of the client. Default: {@link testMind}. */
  readonly mind?: Mind;
  /** The client's knowledge of the channel. Default: secure, without TLS, offers the mechanism. */
  readonly channel?: Partial<Channel>;
  /** The requested avatar interfaces. Default: {@link TestAvatar}. */
  readonly interfaces?: readonly Interface<object>[];
  /** False if the client's first message waits for an empty challenge. Default: true. */
  readonly initialResponse?: boolean;
  /** Returns the changed message, or throws to break the connection. Messages count from 0. */
  readonly tamper?: (message: Uint8Array, index: number, from: Side) => Uint8Array;
}

/** The sender of a message. */
export type Side = 'client' | 'server';

/** The messages of an exchange and its outcome on both sides. */
export interface ExchangeRecord {
  /** All messages in order, before `tamper` changes them. */
  readonly messages: readonly { readonly from: Side; readonly bytes: Uint8Array }[];
  /** The login, or the error of the server. */
  readonly server: { readonly login: Login<object> } | { readonly error: unknown };
  /** The error of the client; empty after a success. */
  readonly client: { readonly error?: unknown };
}

/**
 * Runs both halves of a mechanism against each other in memory, and records the messages. An error
 * of either half is part of the record and does not reject. A login stays open.
 *
 * @example
 * ```ts
 * import { plain } from '@postern/sasl';
 * import { plainResponder } from '@postern/sasl/client';
 * import { exchange, portalFor } from '@postern/testing';
 *
 * const joe = { username: 'joe', password: 's3cret' };
 * const portal = portalFor({ joe: 's3cret' });
 * const { messages, server } = await exchange(plain(), plainResponder(joe), { portal });
 * ```
 */
export async function exchange(
  challenger: Challenger,
  responder: Responder,
  options: ExchangeOptions,
): Promise<ExchangeRecord> {
  const { portal, mind = testMind(), interfaces = [TestAvatar], initialResponse = true } = options;
  const wire = new Wire(options.tamper);
  const channel = { tls: undefined, secure: true, offered: [challenger.mechanism], ...options.channel };

  const client = responder
    .respond((message) => wire.say(message), channel)
    .then(
      () => ({}),
      (error: unknown) => ({ error }),
    );
  void client.then(() => wire.hangUp());
  let server: ExchangeRecord['server'];
  try {
    const first = await wire.first(initialResponse);
    const login = await authenticate({
      challenger,
      portal,
      mind,
      interfaces,
      initialResponse: first,
      ask: (challenge) => wire.ask(challenge),
      minFailureDelay: 0,
      minChallengeDelay: 0,
    });
    wire.succeed();
    server = { login };
  } catch (error) {
    wire.refuse(error);
    server = { error };
  }
  return { messages: wire.messages, server, client: await client };
}

/** The channel between the two halves: the sender of a message waits for the answer. */
class Wire {
  readonly messages: { from: Side; bytes: Uint8Array }[] = [];
  readonly #tamper: ExchangeOptions['tamper'];
  #toServer = Promise.withResolvers<Uint8Array | undefined>();
  #toClient = Promise.withResolvers<Uint8Array | undefined>();
  /** True until the empty challenge for the client's first message. */
  #isFirstDelayed = false;
  #hungUp = false;

  constructor(tamper: ExchangeOptions['tamper']) {
    this.#tamper = tamper;
    // The half that fails first leaves the other promise without a listener.
    this.#toServer.promise.catch(() => {});
    this.#toClient.promise.catch(() => {});
  }

  say(message: Uint8Array | undefined): Promise<Uint8Array | undefined> {
    this.#toClient = Promise.withResolvers();
    this.#toClient.promise.catch(() => {});
    const answer = this.#toClient.promise;
    this.#pass('client', message, this.#toServer);
    return answer;
  }

  async first(initialResponse: boolean): Promise<Uint8Array | undefined> {
    if (initialResponse) return await this.#toServer.promise;
    this.#isFirstDelayed = true;
    return undefined;
  }

  async ask(challenge: Uint8Array): Promise<Uint8Array> {
    if (this.#isFirstDelayed) {
      this.#isFirstDelayed = false;
      const message = await this.#toServer.promise;
      if (message !== undefined && challenge.length > 0) {
        throw new TypeError('the client sends first here, but the first challenge is not empty');
      }
      if (message !== undefined) return message;
    }
    if (this.#hungUp) throw new ExchangeCancelled();
    this.#toServer = Promise.withResolvers();
    this.#toServer.promise.catch(() => {});
    const answer = this.#toServer.promise;
    this.#pass('server', challenge, this.#toClient);
    return (await answer) ?? NO_BYTES;
  }

  succeed(): void {
    this.#toClient.resolve(undefined);
  }

  refuse(error: unknown): void {
    this.#toClient.reject(
      error instanceof ExchangeError ? new SaslFailure(error.message) : new AuthenticationFailure(),
    );
  }

  /** Ends the client: a server that waits for a response gets ExchangeCancelled. */
  hangUp(): void {
    this.#hungUp = true;
    this.#toServer.reject(new ExchangeCancelled());
  }

  #pass(from: Side, message: Uint8Array | undefined, to: PromiseWithResolvers<Uint8Array | undefined>): void {
    if (message === undefined) {
      to.resolve(undefined);
      return;
    }
    const index = this.messages.push({ from, bytes: message }) - 1;
    try {
      to.resolve(this.#tamper === undefined ? message : this.#tamper(message, index, from));
    } catch (error) {
      to.reject(error);
    }
  }
}
