/** A mailbox (RFC 5321 §4.1.2, RFC 6531 §3.3). */
export class Mailbox {
  /** Without quotes and backslashes: `"joe"@x` and `joe@x` are the same mailbox. Its case is kept. */
  readonly localPart: string;
  /** A domain, or an address literal with its brackets; empty only for the bare `Postmaster`. Its case is kept. */
  readonly domain: string;

  constructor(localPart: string, domain: string) {
    this.localPart = localPart;
    this.domain = domain;
  }

  /** As it is written in a command, quoted where the local part needs it. */
  toString(): string {
    const local = /^[^\s\u0000-\u001f"(),:;<>@[\\\]\u007f.]+(?:\.[^\s\u0000-\u001f"(),:;<>@[\\\]\u007f.]+)*$/.test(this.localPart)
      ? this.localPart
      : `"${this.localPart.replace(/["\\]/g, '\\$&')}"`;
    return this.domain === '' ? local : `${local}@${this.domain}`;
  }
}

/** Where a message comes from; null is `<>`, the path of a notification that must not be answered. */
export type ReversePath = Mailbox | null;

/** Where a message goes. */
export type ForwardPath = Mailbox;
