import { type Mailbox, Rejection } from '@postern/esmtp';
import type { FileSystem } from './file-system.ts';
import { MaildirSize, type RecordedSize } from './maildir-size.ts';
import type { Permissions } from './permissions.ts';

/** The most octets that a mailbox holds, or a function of the mailbox. Undefined means no limit. */
export type Quota = number | ((mailbox: Mailbox) => number | undefined);

/**
 * Reserved room for a message in a Maildir. The owner calls exactly one of the two methods, once.
 */
export interface Reservation {
  /** Ends the reservation: the message is in the Maildir. */
  keep(): void;
  /** Frees the room: the message is not in the Maildir. Rejects if the file system fails. */
  release(): Promise<void>;
}

/**
 * Reserves room in Maildirs. The sum is recorded in `maildirsize` (Maildir++). A message counts
 * before it is in the Maildir, so that parallel messages never exceed the quota, even those of
 * several processes. The messages are counted again if the record is missing, or if it says the
 * mailbox is full and may be outdated.
 */
export class Quotas {
  readonly #quota: Quota;
  readonly #files: FileSystem;
  readonly #permissions: Permissions;
  /** The last pending work on the record of each Maildir, by its path. */
  readonly #queues = new Map<string, Promise<unknown>>();
  /** The messages that are recorded and perhaps not in the Maildir yet, by path. */
  readonly #reserved = new Map<string, { octets: number; messages: number }>();
  /** The earliest time of the next count of each Maildir, in milliseconds of the process. */
  readonly #countableAt = new Map<string, number>();

  /** @throws RangeError if the quota is not above 0. */
  constructor(quota: Quota, files: FileSystem, permissions: Permissions) {
    if (typeof quota === 'number' && !(quota > 0))
      throw new RangeError(`quota: expected a number above 0, not ${quota}`);
    this.#quota = quota;
    this.#files = files;
    this.#permissions = permissions;
  }

  /**
   * Checks that `octets` more fit into the Maildir at the path.
   *
   * @throws Rejection (452 4.2.2) if they do not fit
   */
  async expectRoom(mailbox: Mailbox, path: string, octets: number): Promise<void> {
    const quota = this.#quotaOf(mailbox);
    if (quota === undefined) return;
    const size = new MaildirSize(path, this.#files, this.#permissions);
    const kept = await size.read(quota);
    if (typeof kept === 'object' && kept.length < MAX_RECORD_OCTETS && kept.octets + octets <= quota) return;
    const used = await this.#queue(path, () => this.#usedBefore(octets, size, path, quota));
    if (used + octets > quota) throw full();
  }

  /**
   * Reserves room in the Maildir at the path, which must exist.
   *
   * @throws Rejection (452 4.2.2) if the message does not fit
   */
  async reserve(mailbox: Mailbox, path: string, octets: number): Promise<Reservation> {
    const quota = this.#quotaOf(mailbox);
    if (quota === undefined) return NO_RESERVATION;
    const size = new MaildirSize(path, this.#files, this.#permissions);
    await this.#queue(path, async () => {
      if ((await this.#usedBefore(octets, size, path, quota)) + octets > quota) throw full();
      await size.add({ octets, messages: 1 });
      // If another process has added a line since, both withdraw: the mailbox never exceeds its
      // quota.
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

  /**
   * Resolves to the octets of the messages. Counts them only if the record is unusable or may be
   * too large.
   */
  async #usedBefore(octets: number, size: MaildirSize, path: string, quota: number): Promise<number> {
    const kept = await size.read(quota);
    if (typeof kept === 'string') return await this.#count(size, path, quota, kept);
    const isFull = kept.octets + octets > quota && mayBeOld(kept);
    const needsCount = isFull || kept.length >= MAX_RECORD_OCTETS;
    if (!needsCount || performance.now() < (this.#countableAt.get(path) ?? 0)) return kept.octets;
    return await this.#count(size, path, quota, kept);
  }

  async #count(
    size: MaildirSize,
    path: string,
    quota: number,
    before: RecordedSize | 'missing' | 'unusable',
  ): Promise<number> {
    const began = performance.now();
    // A message that is renamed into the Maildir during the count counts twice rather than not at
    // all.
    const { octets = 0, messages = 0 } = this.#reserved.get(path) ?? {};
    const found = await size.count();
    const total = { octets: found.octets + octets, messages: found.messages + messages };
    await size.write(quota, total, before);
    const ended = performance.now();
    // A sender can name new addresses without end.
    if (this.#countableAt.size >= MAX_REMEMBERED) this.#countableAt.clear();
    this.#countableAt.set(path, ended + Math.max(MIN_COUNT_PAUSE_MS, COUNT_PAUSE_FACTOR * (ended - began)));
    return total.octets;
  }

  #hold(path: string, octets: number, messages: number): void {
    const held = this.#reserved.get(path) ?? { octets: 0, messages: 0 };
    const now = { octets: held.octets + octets, messages: held.messages + messages };
    if (now.messages === 0) this.#reserved.delete(path);
    else this.#reserved.set(path, now);
  }

  /** Runs work on the record of one Maildir, one after the other. */
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

/**
 * Returns true if readers may have removed messages without a line in the record. Maildir++ counts
 * a full mailbox again then.
 */
function mayBeOld({ lines, changedAt }: RecordedSize): boolean {
  return lines > 1 || Date.now() - changedAt > MAX_AGE_MS;
}

/** Returns a persistent transient failure (RFC 3463 §3.3): the user can free room. */
function full(): Rejection {
  return new Rejection(452, '4.2.2', 'The mailbox is full');
}

const NO_RESERVATION: Reservation = { keep() {}, release: () => Promise.resolve() };
/** The size above which Maildir++ rewrites a `maildirsize` file. */
const MAX_RECORD_OCTETS = 5_120;
const MAX_AGE_MS = 15 * 60 * 1000;
/**
 * The pause after a count, as a multiple of its duration: counting takes at most a fiftieth of the
 * time.
 */
const COUNT_PAUSE_FACTOR = 50;
const MIN_COUNT_PAUSE_MS = 1_000;
const MAX_REMEMBERED = 10_000;
