import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';

/** A file name that no other delivery makes, on this host or another: `time.MmicrosecondsPpidRrandom.host`. */
export function uniqueName(): string {
  const microseconds = Math.trunc((performance.timeOrigin + performance.now()) * 1000);
  const seconds = Math.trunc(microseconds / 1_000_000);
  const random = randomBytes(8).toString('hex');
  return `${seconds}.M${microseconds % 1_000_000}P${process.pid}R${random}.${host()}`;
}

/** A slash is a folder, and a colon begins the flags: the convention writes them in octal. */
function host(): string {
  return hostname().slice(0, 64).replaceAll('/', '\\057').replaceAll(':', '\\072');
}
