import type { DisconnectListener } from '@postern/core';
import { PeerGone } from './errors.ts';

/** The disconnect of a peer, as a signal and as calls of listeners. */
export class Disconnect {
  /** Both are created on first use: most connections need neither. */
  #controller: AbortController | undefined = undefined;
  #listeners: DisconnectListener[] | undefined = undefined;

  /** Aborts with a PeerGone at {@link report}. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    return this.#controller.signal;
  }

  /** True if `signal` has been read. */
  get hasSignal(): boolean {
    return this.#controller !== undefined;
  }

  /** True if `signal` has been read and has aborted. */
  get hasAborted(): boolean {
    return this.#controller?.signal.aborted === true;
  }

  add(listener: DisconnectListener): void {
    this.#listeners ??= [];
    this.#listeners.push(listener);
  }

  /** Removes the listener if it is still there. */
  remove(listener: DisconnectListener): void {
    const index = this.#listeners?.indexOf(listener) ?? -1;
    if (index !== -1) this.#listeners?.splice(index, 1);
  }

  /** Aborts the signal, and calls each listener once. */
  report(): void {
    this.#controller?.abort(GONE);
    const listeners = this.#listeners?.splice(0) ?? [];
    for (const listener of listeners) listener.onDisconnect();
  }
}

/**
 * The reason of aborted signals. One object serves all: recording a stack costs as much as a login.
 */
const GONE = new PeerGone();
