import { randomBytes, randomInt } from 'node:crypto';

/** A message that can be told from all others. */
export interface TestMessage {
  readonly id: string;
  readonly text: Buffer;
}

/**
 * Makes a message of 1 KiB to 1 MiB: small ones are frequent. Its header says how many octets its
 * body has.
 */
export function makeMessage(): TestMessage {
  const id = randomBytes(12).toString('hex');
  const lines = Math.floor(2 ** (randomInt(0, 1_000) / 100));
  const body = `${'.'.padEnd(1_022, 'x')}\r\n`.repeat(lines);
  return { id, text: Buffer.from(`X-Soak-Id: ${id}\r\nX-Soak-Octets: ${body.length}\r\n\r\n${body}`) };
}

/**
 * Returns the id of a message that has arrived as a whole; undefined for one that is torn or none
 * of ours.
 */
export function idOf(message: Buffer): string | undefined {
  const end = message.indexOf('\r\n\r\n');
  const header = message.toString('latin1', 0, Math.max(0, end));
  const id = /^X-Soak-Id: (\w+)\r?$/m.exec(header)?.[1];
  const octets = Number(/^X-Soak-Octets: (\d+)\r?$/m.exec(header)?.[1]);
  return message.length - end - 4 === octets ? id : undefined;
}

/** What was acknowledged, and what has arrived. Forgets what is both. */
export class Ledger {
  acknowledged = 0;
  torn = 0;
  /** Copies that a mailbox shows again after their confirmed deletion, or under another id. */
  returned = 0;
  readonly #deleted = new Set<string>();
  readonly #uids = new Map<string, string>();
  readonly #missing = new Set<string>();
  readonly #unacknowledged = new Set<string>();

  /** Messages that were acknowledged and have not arrived. */
  get missing(): number {
    return this.#missing.size;
  }

  /** The server has acknowledged the copy of a message. */
  acknowledge(copy: string): void {
    this.acknowledged += 1;
    if (!this.#unacknowledged.delete(copy)) this.#missing.add(copy);
  }

  /** A copy of a message has arrived, perhaps before its acknowledgement, perhaps twice. */
  arrive(copy: string | undefined): void {
    if (copy === undefined) this.torn += 1;
    else if (!this.#missing.delete(copy)) this.#unacknowledged.add(copy);
  }

  /** A mailbox shows a copy under this unique id. */
  see(uid: string, copy: string): void {
    if (this.#deleted.has(copy) || (this.#uids.get(copy) ?? uid) !== uid) this.returned += 1;
    this.#uids.set(copy, uid);
  }

  /** A mailbox has confirmed that a copy is deleted. */
  delete(copy: string): void {
    this.#deleted.add(copy);
    this.#uids.delete(copy);
  }
}
