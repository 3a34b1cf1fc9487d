import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';

/** A file name that no other delivery makes, on this host or another: `time.MmicrosecondsPpidRrandom.host`. */
export function uniqueName(): string {
  // The clock on the wall, though it may go back: readers sort by this, and it is chance that makes the name unique.
  const now = Date.now();
  const random = randomBytes(8).toString('hex');
  return `${Math.trunc(now / 1000)}.M${(now % 1000) * 1000}P${process.pid}R${random}.${host()}`;
}

/** A slash is a folder, and a colon begins the flags: the convention writes them in octal. */
function host(): string {
  return hostname().slice(0, 64).replaceAll('/', '\\057').replaceAll(':', '\\072');
}

/** Returns the name of a file with its size in octets, as Maildir++ has it (`,S=1234`): nobody needs to look at the file itself. */
export function withSize(name: string, octets: number): string {
  return `${name},S=${octets}`;
}

/** Returns the octets that a file's name tells. */
export function sizeIn(name: string): number | undefined {
  const digits = /,S=(\d{1,15})(?=[,:]|$)/.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}
