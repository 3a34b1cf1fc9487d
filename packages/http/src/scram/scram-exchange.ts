import { isPromise, type MaybePromise, networkOf, toPromise } from '@postern/core';
import type { Login, LogoutReason, Mind } from '@postern/cred';
import { type Ask, ExchangeCancelled, NO_BYTES } from '@postern/sasl';
import type { SchemeAttempt } from '../schemes/scheme.ts';
import { ExchangeMind } from './exchange-mind.ts';

/**
 * A SCRAM exchange over two requests (RFC 7804 §5). The login runs from the first request to the
 * second: it waits in `ask` for the client-final-message.
 */
export class ScramExchange<A> {
  readonly mind: ExchangeMind;
  readonly #network: string | undefined;
  readonly #attempt: SchemeAttempt<A>;
  readonly #challenge = Promise.withResolvers<Uint8Array>();
  #final: PromiseWithResolvers<Uint8Array> | undefined;
  #login: Promise<Login<A>> | undefined;
  /** The server-final-message. */
  serverFinal: Uint8Array = NO_BYTES;
  #hasFinal = false;

  constructor(attempt: SchemeAttempt<A>) {
    this.#attempt = attempt;
    this.mind = new ExchangeMind(attempt.request.mind);
    this.#network = networkOf(attempt.request.mind.remote);
  }

  /** The user name, once it is known. */
  get username(): string | undefined {
    return this.#attempt.username;
  }

  /** Sends the challenge of the first request. The server-final-message needs no answer. */
  readonly ask: Ask = (challenge) => {
    if (this.#hasFinal) {
      this.serverFinal = challenge;
      return Promise.resolve(NO_BYTES);
    }
    this.#final = Promise.withResolvers();
    this.#challenge.resolve(challenge);
    return this.#final.promise;
  };

  /**
   * Resolves with the server-first-message of the login. Rejects if the client is refused before.
   */
  async begin(login: MaybePromise<Login<A>>): Promise<Uint8Array> {
    this.#login = toPromise(Promise.resolve(login));
    // The login may end between the requests, when nothing waits for it.
    this.#login.catch(() => {});
    const refused = this.#login.then(() => NO_BYTES);
    try {
      return await Promise.race([this.#challenge.promise, refused]);
    } finally {
      this.mind.unfollow();
    }
  }

  /** Returns true if the client may continue the exchange: the network is that of the beginning. */
  isOf({ remote }: Mind): boolean {
    return networkOf(remote) === this.#network;
  }

  /** Resolves with the login, by the client-final-message of the second request. */
  async finish(clientFinal: Uint8Array, mind: Mind): Promise<Login<A>> {
    this.mind.follow(mind);
    this.#hasFinal = true;
    this.#final?.resolve(clientFinal);
    try {
      return new FollowedLogin(await (this.#login as Promise<Login<A>>), this.mind);
    } catch (error) {
      this.mind.unfollow();
      throw error;
    }
  }

  /** Ends an exchange without a second request. It is no guess: the client has proved nothing. */
  abandon(): void {
    this.#final?.reject(new ExchangeCancelled('the client sent no client-final-message'));
  }
}

/** A login that leaves the connection of its client when it ends. */
class FollowedLogin<A> implements Login<A> {
  readonly #login: Login<A>;
  readonly #mind: ExchangeMind;

  constructor(login: Login<A>, mind: ExchangeMind) {
    this.#login = login;
    this.#mind = mind;
  }

  get avatarId(): Login<A>['avatarId'] {
    return this.#login.avatarId;
  }

  get avatar(): A {
    return this.#login.avatar;
  }

  logout(reason?: LogoutReason): MaybePromise<void> {
    const ended = this.#login.logout(reason);
    if (!isPromise(ended)) return this.#mind.unfollow();
    return ended.finally(() => this.#mind.unfollow());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.logout();
  }
}
