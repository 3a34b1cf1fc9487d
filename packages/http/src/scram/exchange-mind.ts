import type { Disconnection, DisconnectListener } from '@postern/core';
import { disconnectionOf, hasDisconnected, type Mind } from '@postern/cred';

/**
 * The mind of a client whose two requests may use two connections. It is that of the request that
 * the server answers. Between the requests no disconnect ends the login.
 */
export class ExchangeMind implements Mind, DisconnectListener {
  readonly #controller = new AbortController();
  #mind: Mind;
  #disconnection: Disconnection | undefined;

  constructor(mind: Mind) {
    this.#mind = mind;
    this.follow(mind);
  }

  /** Follows the connection of this request. */
  follow(mind: Mind): void {
    this.unfollow();
    this.#mind = mind;
    if (hasDisconnected(mind)) {
      this.onDisconnect();
      return;
    }
    this.#disconnection = disconnectionOf(mind);
    this.#disconnection.addDisconnectListener(this);
  }

  /** Leaves the connection: the response has been sent, or the login has ended. */
  unfollow(): void {
    this.#disconnection?.removeDisconnectListener(this);
    this.#disconnection = undefined;
  }

  /** @internal */
  onDisconnect(): void {
    this.#controller.abort(this.#mind.signal.reason);
  }

  get protocol(): string {
    return this.#mind.protocol;
  }

  get remote(): Mind['remote'] {
    return this.#mind.remote;
  }

  get local(): Mind['local'] {
    return this.#mind.local;
  }

  get tls(): Mind['tls'] {
    return this.#mind.tls;
  }

  get clientName(): string | undefined {
    return this.#mind.clientName;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get store(): Map<symbol, unknown> {
    return this.#mind.store;
  }
}
