import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';

/** Returns a file name that is unique among all hosts: `time.MmicrosecondsPpidRrandom.host`. */
export function uniqueName(): string {
  // Readers sort by the wall clock, which may go back. The random part makes the name unique.
  const now = Date.now();
  const random = randomBytes(8).toString('hex');
  return `${Math.trunc(now / 1000)}.M${(now % 1000) * 1000}P${process.pid}R${random}.${host()}`;
}

/**
 * Returns the host name. The Maildir convention writes a slash and a colon in octal, since both
 * have a meaning.
 */
function host(): string {
  return hostname().slice(0, 64).replaceAll('/', '\\057').replaceAll(':', '\\072');
}

/**
 * Returns the file name with the size in octets (`,S=1234`, Maildir++), so that readers need not
 * open the file.
 */
export function withSize(name: string, octets: number): string {
  return `${name},S=${octets}`;
}

/** Returns the size in octets that a file name carries; undefined if it carries none. */
export function sizeIn(name: string): number | undefined {
  const digits = /,S=(\d{1,15})(?=[,:]|$)/.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}
