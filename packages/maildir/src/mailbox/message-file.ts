import { hash } from 'node:crypto';
import { join } from 'node:path';
import type { MessageInfo } from '@postern/pop3';
import type { Sizes } from './size-reader.ts';

/** The folder of a Maildir that holds a message: `new` before a reader has seen it. */
export type Subfolder = 'new' | 'cur';

/**
 * One message of a Maildir, as it was at the login. Names are Latin-1: each character is one octet
 * of the file name, which may be no UTF-8.
 */
export class MessageFile implements MessageInfo {
  subfolder: Subfolder;
  name: string;
  /** The part of the name that stays the same for all time. */
  readonly key: string;
  /** The time of the delivery in microseconds, as the name says; 0 if the name has no time. */
  readonly arrivedAt: number;
  #sizes: Sizes = UNKNOWN;
  /** Distinguishes files with the same key; empty for a unique key. */
  distinction = '';
  /** True if another program has changed the file in place since it was measured. */
  isChanged = false;
  /** True if another program has removed the file. */
  isGone = false;
  #uid: string | undefined;

  constructor(subfolder: Subfolder, name: string) {
    this.subfolder = subfolder;
    this.name = name;
    this.key = keyOf(name);
    this.arrivedAt = arrivalIn(name);
  }

  /** A hash of the key, whose characters and length are up to the program that delivered it. */
  get uid(): string {
    this.#uid ??= hash('sha256', this.id).slice(0, UID_DIGITS);
    return this.#uid;
  }

  get octets(): number {
    return this.#sizes.octets;
  }

  /** The octets of the file itself, whose lines may end in LF alone. */
  get storedOctets(): number {
    return this.#sizes.storedOctets;
  }

  /** False if the sizes are a guess, or no more than this session's. */
  get isCacheable(): boolean {
    return this.#sizes.isExact !== false && this.distinction === '' && !this.isGone && !this.isChanged;
  }

  /** The identity of the file among those of the Maildir, for all time. */
  get id(): string {
    return this.key + this.distinction;
  }

  setSizes(sizes: Sizes): void {
    this.#sizes = sizes;
  }

  /** Notes a new name that another program has given to the file. */
  rename(subfolder: Subfolder, name: string): void {
    this.subfolder = subfolder;
    this.name = name;
  }

  /** Returns the path of the file in the Maildir. */
  pathIn(maildir: string): string | Buffer {
    return pathOf(join(maildir, this.subfolder), this.name);
  }
}

/**
 * Returns the part of a file name that no program changes: without the flags, and without the sizes
 * `,S=` and `,W=`, which Dovecot corrects or removes.
 */
export function keyOf(name: string): string {
  const flags = name.indexOf(':');
  const base = flags === -1 ? name : name.slice(0, flags);
  return base.includes(',') ? base.replace(SIZES, '') : base;
}

/** Returns the path of a file whose name is Latin-1. */
export function pathOf(folder: string, name: string): string | Buffer {
  return ASCII.test(name)
    ? `${folder}/${name}`
    : Buffer.concat([Buffer.from(`${folder}/`), Buffer.from(name, 'latin1')]);
}

/** Compares by the time of the delivery, then by the key. */
export function byArrival(one: MessageFile, other: MessageFile): number {
  return one.arrivedAt - other.arrivedAt || (one.key < other.key ? -1 : one.key > other.key ? 1 : 0);
}

function arrivalIn(name: string): number {
  const [, seconds, microseconds = 0] = ARRIVAL.exec(name) ?? [];
  return seconds === undefined ? 0 : Number(seconds) * 1_000_000 + Number(microseconds);
}

const UNKNOWN: Sizes = { octets: 0, storedOctets: 0, isExact: false };
const ARRIVAL = /^(\d{1,15})(?:\.M(\d{1,6})(?!\d))?/;
const SIZES = /,[SW]=\d+(?=,|$)/g;
/** Matches a name that is the same in Latin-1 and in UTF-8. */
const ASCII = /^[\x00-\x7f]*$/;
/** 128 bits. */
const UID_DIGITS = 32;
