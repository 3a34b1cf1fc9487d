import type { Mind } from './mind.ts';

/** A mind that knows what another one does, whenever it is asked: for those that add something to it. */
export class DelegatingMind implements Mind {
  readonly #mind: Mind;

  constructor(mind: Mind) {
    this.#mind = mind;
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

  get exchange(): Mind['exchange'] {
    return this.#mind.exchange;
  }

  get signal(): AbortSignal {
    return this.#mind.signal;
  }

  get disconnected(): boolean {
    return this.#mind.disconnected ?? this.#mind.signal.aborted;
  }

  get store(): Map<symbol, unknown> {
    return this.#mind.store;
  }
}
