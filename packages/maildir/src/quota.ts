import { join } from 'node:path';
import { type Mailbox, Rejection } from '@postern/esmtp';
import type { FileSystem } from './file-system.ts';
import { codeOf } from './trouble.ts';

/** How many octets a mailbox may hold; undefined is no limit. */
export type Quota = number | ((mailbox: Mailbox) => number | undefined);

/** Whether there is room in Maildirs. What is on its way into one at the same time is not counted. */
export class Quotas {
  readonly #quota: Quota;
  readonly #files: FileSystem;

  /** Throws a RangeError if no mailbox can hold so much. */
  constructor(quota: Quota, files: FileSystem) {
    if (typeof quota === 'number' && !(quota > 0)) throw new RangeError(`quota: more than 0 is wanted, not ${quota}`);
    this.#quota = quota;
    this.#files = files;
  }

  /** Resolves if so many octets more fit into the mailbox's Maildir at the path, else rejects with a Rejection (452 4.2.2). */
  async expectRoom(mailbox: Mailbox, path: string, octets: number): Promise<void> {
    const quota = typeof this.#quota === 'number' ? this.#quota : this.#quota(mailbox);
    if (quota === undefined) return;
    let used = octets;
    for (const room of ['new', 'cur']) used += await this.#octetsIn(join(path, room), quota - used);
    // A persistent transient failure (RFC 3463 §3.3): the user can make room.
    if (used > quota) throw new Rejection(452, '4.2.2', 'The mailbox is full');
  }

  /** How much lies in a folder, or more than so much. */
  async #octetsIn(folder: string, enough: number): Promise<number> {
    let octets = 0;
    for (const name of await this.#list(folder)) {
      octets += sizeIn(name) ?? (await this.#sizeOf(join(folder, name)));
      if (octets > enough) break;
    }
    return octets;
  }

  /** A Maildir that is not there yet is empty. */
  async #list(folder: string): Promise<readonly string[]> {
    try {
      return await this.#files.readdir(folder);
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return [];
      throw error;
    }
  }

  /** A file that is gone meanwhile takes no room. */
  async #sizeOf(path: string): Promise<number> {
    try {
      return (await this.#files.stat(path)).size;
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return 0;
      throw error;
    }
  }
}

/** The name of a file of so many octets, which tells its size as Maildir++ has it: nobody needs to look at the file itself. */
export function withSize(name: string, octets: number): string {
  return `${name},S=${octets}`;
}

function sizeIn(name: string): number | undefined {
  const digits = /,S=(\d{1,15})(?=[,:]|$)/.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}
