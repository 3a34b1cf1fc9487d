import type { Disconnection, DisconnectListener } from '@postern/core';

/** Returns the disconnection of a mind for one listener. Default: that of the mind's signal. */
export function disconnectionOf(mind: {
  readonly disconnection?: Disconnection | undefined;
  readonly signal: AbortSignal;
}): Disconnection {
  return mind.disconnection ?? new AbortOfSignal(mind.signal);
}

/**
 * Returns true if the client has disconnected. Reads `disconnected` first, because the signal of a
 * login is created on its first access.
 */
export function hasDisconnected(mind: {
  readonly disconnected?: boolean | undefined;
  readonly signal: AbortSignal;
}): boolean {
  return mind.disconnected ?? mind.signal.aborted;
}

/** The abort of a signal for one listener. */
class AbortOfSignal implements Disconnection {
  readonly #signal: AbortSignal;
  #listener: DisconnectListener | undefined;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  addDisconnectListener(listener: DisconnectListener): void {
    this.#listener = listener;
    if (this.#signal.aborted) listener.onDisconnect();
    else this.#signal.addEventListener('abort', this, { once: true });
  }

  removeDisconnectListener(): void {
    this.#signal.removeEventListener('abort', this);
  }

  handleEvent(): void {
    this.#listener?.onDisconnect();
  }
}
