import type { Interface, Login, Mind, Portal } from '@postern/cred';
import { authenticate, type Challenger, ExchangeCancelled, ExchangeError, NO_BYTES } from '@postern/sasl';
import { AuthenticationFailure, type Channel, type Responder, SaslFailure } from '@postern/sasl/client';
import { TestAvatar } from './portal-for.ts';
import { testMind } from './test-mind.ts';

/** Who takes part in an exchange, and what happens to its messages on their way. */
export interface ExchangeOptions {
  readonly portal: Portal;
  /** What the server knows of the client. Default: {@link testMind}. */
  readonly mind?: Mind;
  /** What the client knows of the channel. Default: a secure one without TLS, that offers the mechanism. */
  readonly channel?: Partial<Channel>;
  /** The avatars asked for. Default: {@link TestAvatar}. */
  readonly interfaces?: readonly Interface<object>[];
  /** False if the client's first message has to wait for an empty challenge. Default: true. */
  readonly initialResponse?: boolean;
  /** Changes a message on its way, or throws to lose it with the connection; messages count from 0. */
  readonly tamper?: (message: Uint8Array, index: number, from: Side) => Uint8Array;
}

/** Who said a message. */
export type Side = 'client' | 'server';

/** What passed between the two halves, and what each made of it. */
export interface ExchangeRecord {
  /** In their order, as they were sent, before any tampering. */
  readonly messages: readonly { readonly from: Side; readonly bytes: Uint8Array }[];
  /** The login, or what the server refused it with. */
  readonly server: { readonly login: Login<object> } | { readonly error: unknown };
  /** Empty if the client took the exchange for a success. */
  readonly client: { readonly error?: unknown };
}

/**
 * Drives both halves of a mechanism against each other, over nothing but calls, and records what passed. Does not reject for what
 * either half fails with. A login is left open.
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

/** What the two halves talk over: whoever speaks waits for the other. */
class Wire {
  readonly messages: { from: Side; bytes: Uint8Array }[] = [];
  readonly #tamper: ExchangeOptions['tamper'];
  #toServer = Promise.withResolvers<Uint8Array | undefined>();
  #toClient = Promise.withResolvers<Uint8Array | undefined>();
  /** The client's first message, if it has to wait to be asked for. */
  #held: Uint8Array | undefined;
  #hungUp = false;

  constructor(tamper: ExchangeOptions['tamper']) {
    this.#tamper = tamper;
    // Whether anybody waits depends on who fails first.
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
    const message = await this.#toServer.promise;
    if (initialResponse) return message;
    this.#held = message;
    return undefined;
  }

  async ask(challenge: Uint8Array): Promise<Uint8Array> {
    const held = this.#held;
    this.#held = undefined;
    if (held !== undefined) {
      if (challenge.length > 0) throw new TypeError('the client begins here, and the first challenge is not empty');
      return held;
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

  /** The client says no more: a server that still waits for a response is told. */
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
