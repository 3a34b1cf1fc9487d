import type { SmtpClient } from '@postern/esmtp/client';

/** The owner of leased connections. */
export interface LeaseOwner {
  /** Called when the connection is free for another message. */
  returned(lease: Lease): void;
  /** Called when the connection is closed. */
  lost(lease: Lease): void;
  /** Called when the transaction waits for its client. */
  held(lease: Lease): void;
  /** Called when the transaction continues. */
  resumed(lease: Lease): void;
}

/** A connection to the next server, leased to one transaction. */
export class Lease {
  readonly client: SmtpClient;
  /** The number of leases of the connection, with this one. */
  readonly uses: number;
  /** The keys of the client whose share counts the connection. */
  readonly keys: readonly string[];
  readonly #owner: LeaseOwner;
  #over = false;
  #onReclaim: (() => void) | undefined;

  constructor(owner: LeaseOwner, client: SmtpClient, uses: number, keys: readonly string[]) {
    this.#owner = owner;
    this.client = client;
    this.uses = uses;
    this.keys = keys;
  }

  /**
   * True if the connection had an earlier lease. The server may close it after a number of
   * messages.
   */
  get reused(): boolean {
    return this.uses > 1;
  }

  /** Returns the connection. The owner resets an open transaction before the next lease. */
  release(): void {
    if (this.#end()) this.#owner.returned(this);
  }

  /** Closes the connection. */
  destroy(): void {
    if (!this.#end()) return;
    this.client.conversation.destroy();
    this.#owner.lost(this);
  }

  /**
   * Lets the owner reclaim the connection until {@link resume}. The owner then calls `onReclaim`.
   */
  hold(onReclaim: () => void): void {
    if (this.#over) return;
    this.#onReclaim = onReclaim;
    this.#owner.held(this);
  }

  /** Ends the permission to reclaim the connection. */
  resume(): void {
    this.#onReclaim = undefined;
    this.#owner.resumed(this);
  }

  /** Reclaims a held connection. */
  reclaim(): void {
    const onReclaim = this.#onReclaim;
    this.release();
    onReclaim?.();
  }

  #end(): boolean {
    if (this.#over) return false;
    this.#over = true;
    this.resume();
    return true;
  }
}
