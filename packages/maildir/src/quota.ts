import { type Mailbox, Rejection } from '@postern/esmtp';
import type { FileSystem } from './file-system.ts';
import { type KeptSize, MaildirSize } from './maildir-size.ts';
import type { Permissions } from './permissions.ts';

/** How many octets a mailbox may hold; undefined is no limit. */
export type Quota = number | ((mailbox: Mailbox) => number | undefined);

/** Room that a message has in a Maildir. Exactly one of the two is called. */
export interface Reservation {
  /** The message is in the Maildir. */
  keep(): void;
  /** The message is not in the Maildir: gives the room back. Rejects if the file system fails. */
  release(): Promise<void>;
}

/**
 * Reserves room in Maildirs, from a kept sum (`maildirsize` of Maildir++). A message counts from before it is in the Maildir, so
 * parallel messages, also of several processes, never hold more than the quota. Only a sum that is missing, or that tells of a full
 * mailbox and may be old, is counted anew.
 */
export class Quotas {
  readonly #quota: Quota;
  readonly #files: FileSystem;
  readonly #permissions: Permissions;
  /** The last work on the sum of each Maildir at the path, while there is any. */
  readonly #queues = new Map<string, Promise<unknown>>();
  /** Octets of messages that are in the sum, and perhaps not in the Maildir yet. */
  readonly #reserved = new Map<string, { octets: number; messages: number }>();
  /** When the sum of a Maildir may be counted again, in milliseconds of the process. */
  readonly #countableAt = new Map<string, number>();

  /** @throws RangeError if no mailbox can hold so much. */
  constructor(quota: Quota, files: FileSystem, permissions: Permissions) {
    if (typeof quota === 'number' && !(quota > 0)) throw new RangeError(`quota: more than 0 is wanted, not ${quota}`);
    this.#quota = quota;
    this.#files = files;
    this.#permissions = permissions;
  }

  /** Resolves if `octets` more fit into the mailbox's Maildir at the path, else rejects with a Rejection (452 4.2.2). */
  async expectRoom(mailbox: Mailbox, path: string, octets: number): Promise<void> {
    const quota = this.#quotaOf(mailbox);
    if (quota === undefined) return;
    const size = new MaildirSize(path, this.#files, this.#permissions);
    const kept = await size.read(quota);
    if (typeof kept === 'object' && kept.length < MAX_SUM_OCTETS && kept.octets + octets <= quota) return;
    const used = await this.#queue(path, () => this.#usedBeside(octets, size, path, quota));
    if (used + octets > quota) throw full();
  }

  /** Reserves room in the Maildir at the path, which must exist. Rejects with a Rejection (452 4.2.2) if there is none. */
  async reserve(mailbox: Mailbox, path: string, octets: number): Promise<Reservation> {
    const quota = this.#quotaOf(mailbox);
    if (quota === undefined) return NO_RESERVATION;
    const size = new MaildirSize(path, this.#files, this.#permissions);
    await this.#queue(path, async () => {
      if ((await this.#usedBeside(octets, size, path, quota)) + octets > quota) throw full();
      await size.add({ octets, messages: 1 });
      // Another process may have added a line since: then both give way, and the mailbox is never too full.
      const kept = await size.read(quota);
      if (typeof kept === 'object' && kept.octets > quota) {
        await size.add({ octets: -octets, messages: -1 });
        throw full();
      }
      this.#hold(path, octets, 1);
    });
    return {
      keep: () => this.#hold(path, -octets, -1),
      release: () =>
        this.#queue(path, async () => {
          this.#hold(path, -octets, -1);
          await size.add({ octets: -octets, messages: -1 });
        }),
    };
  }

  #quotaOf(mailbox: Mailbox): number | undefined {
    return typeof this.#quota === 'number' ? this.#quota : this.#quota(mailbox);
  }

  /** Resolves to what the messages in the Maildir have; counts them only if the kept sum is of no use, or could be too large. */
  async #usedBeside(octets: number, size: MaildirSize, path: string, quota: number): Promise<number> {
    const kept = await size.read(quota);
    if (typeof kept === 'string') return await this.#count(size, path, quota, kept);
    const isFull = kept.octets + octets > quota && mayBeOld(kept);
    const isWanted = isFull || kept.length >= MAX_SUM_OCTETS;
    if (!isWanted || performance.now() < (this.#countableAt.get(path) ?? 0)) return kept.octets;
    return await this.#count(size, path, quota, kept);
  }

  async #count(
    size: MaildirSize,
    path: string,
    quota: number,
    before: KeptSize | 'missing' | 'unusable',
  ): Promise<number> {
    const began = performance.now();
    // A message that comes into the Maildir meanwhile counts twice rather than never.
    const { octets = 0, messages = 0 } = this.#reserved.get(path) ?? {};
    const found = await size.count();
    const total = { octets: found.octets + octets, messages: found.messages + messages };
    await size.write(quota, total, before);
    const ended = performance.now();
    // Senders can name new addresses for ever.
    if (this.#countableAt.size >= MAX_REMEMBERED) this.#countableAt.clear();
    this.#countableAt.set(path, ended + Math.max(MIN_PAUSE_MS, PAUSE_FACTOR * (ended - began)));
    return total.octets;
  }

  #hold(path: string, octets: number, messages: number): void {
    const held = this.#reserved.get(path) ?? { octets: 0, messages: 0 };
    const now = { octets: held.octets + octets, messages: held.messages + messages };
    if (now.messages === 0) this.#reserved.delete(path);
    else this.#reserved.set(path, now);
  }

  /** Does one thing after the other with the sum of a Maildir. */
  async #queue<T>(path: string, work: () => Promise<T>): Promise<T> {
    const before = this.#queues.get(path);
    const working = before === undefined ? work() : before.then(work, work);
    this.#queues.set(path, working);
    try {
      return await working;
    } finally {
      if (this.#queues.get(path) === working) this.#queues.delete(path);
    }
  }
}

/** The owner may have removed messages without a line in the file: Maildir++ has a full mailbox counted anew then. */
function mayBeOld({ lines, changedAt }: KeptSize): boolean {
  return lines > 1 || Date.now() - changedAt > MAX_AGE_MS;
}

/** A persistent transient failure (RFC 3463 §3.3): the user can make room. */
function full(): Rejection {
  return new Rejection(452, '4.2.2', 'The mailbox is full');
}

const NO_RESERVATION: Reservation = { keep() {}, release: () => Promise.resolve() };
/** Of a `maildirsize` file, by Maildir++. */
const MAX_SUM_OCTETS = 5_120;
const MAX_AGE_MS = 15 * 60 * 1000;
/** Messages are counted in at most a fiftieth of the time, however often a full mailbox is written to. */
const PAUSE_FACTOR = 50;
const MIN_PAUSE_MS = 1_000;
const MAX_REMEMBERED = 10_000;
