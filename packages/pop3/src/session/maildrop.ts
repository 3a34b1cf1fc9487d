import type { Mailbox, MessageInfo } from '../mailbox.ts';

/** A user's mailbox during one session, with the marks of DELE (RFC 1939 §5). */
export class Maildrop {
  readonly mailbox: Mailbox;
  /** The octets of messages that the client was sent. */
  octetsSent = 0;
  /** The number of messages that QUIT asked the mailbox to remove. */
  removed = 0;
  /** Both hold indexes, and are created by the first one. */
  #deleted: Set<number> | undefined;
  #retrieved: Set<number> | undefined;
  /** The octets of all messages; undefined until a command asks. */
  #octets: number | undefined;
  #deletedOctets = 0;

  constructor(mailbox: Mailbox) {
    this.mailbox = mailbox;
  }

  get messages(): readonly MessageInfo[] {
    return this.mailbox.messages;
  }

  /** The number of messages without a mark. */
  get count(): number {
    return this.messages.length - (this.#deleted?.size ?? 0);
  }

  /** The octets of the messages without a mark. */
  get octets(): number {
    this.#octets ??= this.messages.reduce((octets, message) => octets + message.octets, 0);
    return this.#octets - this.#deletedOctets;
  }

  /** True if the client has marked a message. */
  get hasMarks(): boolean {
    return this.#deleted !== undefined && this.#deleted.size > 0;
  }

  /** Returns a message by its index; undefined for a marked one and outside the mailbox. */
  at(index: number): MessageInfo | undefined {
    return this.#deleted?.has(index) ? undefined : this.messages[index];
  }

  /** Returns true if the message is marked. */
  isDeleted(index: number): boolean {
    return this.#deleted?.has(index) === true;
  }

  /** Marks a message that {@link at} returns. */
  delete(index: number): void {
    this.#deleted ??= new Set();
    this.#deleted.add(index);
    this.#deletedOctets += this.messages[index]?.octets ?? 0;
  }

  /** Removes all marks (RSET). */
  reset(): void {
    this.#deleted?.clear();
    this.#deletedOctets = 0;
  }

  /** Records that the client has read a message whole. */
  markRetrieved(index: number): void {
    this.#retrieved ??= new Set();
    this.#retrieved.add(index);
  }

  /** The number of messages that the client has read whole. */
  get retrievedCount(): number {
    return this.#retrieved?.size ?? 0;
  }

  /** The indexes of the marked messages, in their order. */
  get deleted(): readonly number[] {
    return sorted(this.#deleted);
  }

  /** The indexes of the messages that were read whole and stay, in their order. */
  get retrieved(): readonly number[] {
    return sorted(this.#retrieved).filter((index) => !this.isDeleted(index));
  }
}

function sorted(indexes: ReadonlySet<number> | undefined): number[] {
  return indexes === undefined ? [] : [...indexes].sort((a, b) => a - b);
}
