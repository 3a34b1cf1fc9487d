import type { SmtpClient } from '@postern/esmtp/client';

/** Whoever lends connections. */
export interface Lender {
  /** The connection is free, and good for another message. */
  takeBack(lease: Lease): void;
  /** The connection is closed. */
  writeOff(lease: Lease): void;
  /** Nothing is going on there just now. */
  held(lease: Lease): void;
  /** Something is going on there again. */
  resumed(lease: Lease): void;
}

/** A connection to the next server, lent to one transaction. */
export class Lease {
  readonly client: SmtpClient;
  /** How many times the connection has been lent, this time included. */
  readonly uses: number;
  /** The keys of the client whose share it counts for. */
  readonly keys: readonly string[];
  readonly #lender: Lender;
  #over = false;
  #onReclaim: (() => void) | undefined;

  constructor(lender: Lender, client: SmtpClient, uses: number, keys: readonly string[]) {
    this.#lender = lender;
    this.client = client;
    this.uses = uses;
    this.keys = keys;
  }

  /** True if the connection has served before: the server may close it after a number of messages. */
  get reused(): boolean {
    return this.uses > 1;
  }

  /** Gives the connection back; whatever transaction is open there is forgotten before the next. */
  release(): void {
    if (this.#end()) this.#lender.takeBack(this);
  }

  /** Breaks the connection off. */
  destroy(): void {
    if (!this.#end()) return;
    this.client.conversation.destroy();
    this.#lender.writeOff(this);
  }

  /** Nothing is going on for now: until `resume`, whoever is short of connections may take this one away, which `onReclaim` tells. */
  hold(onReclaim: () => void): void {
    if (this.#over) return;
    this.#onReclaim = onReclaim;
    this.#lender.held(this);
  }

  /** Something is going on again. */
  resume(): void {
    this.#onReclaim = undefined;
    this.#lender.resumed(this);
  }

  /** Takes a connection away that is held. */
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
