import { createHash } from 'node:crypto';
import { type BigIntStats, constants } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';

/** The content of a file at one time, and the version by which a change is seen. */
export interface FileSnapshot {
  readonly content: Buffer;
  /** The SHA-256 of the content. */
  readonly digest: string;
  /** Undefined if the file may change again without a change of its version. */
  readonly version: string | undefined;
}

/** Returns the version of the file that the path names now. Follows symbolic links. */
export async function fileVersion(path: string): Promise<string> {
  return versionOf(await stat(path, { bigint: true }));
}

/**
 * Reads a whole file.
 *
 * @throws Error if the path names no regular file, or if the system refuses it.
 * @throws Error if the file is larger than `maxOctets` octets, or changes meanwhile.
 */
export async function readSnapshot(path: string, maxOctets: number, now: () => number): Promise<FileSnapshot> {
  // O_NONBLOCK: opening a FIFO would wait for a writer.
  await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  return await snapshotOf(file, maxOctets, now);
}

/** Reads a whole open file. @throws Error as {@link readSnapshot} does. */
export async function snapshotOf(
  file: Pick<FileHandle, 'stat' | 'read'>,
  maxOctets: number,
  now: () => number,
): Promise<FileSnapshot> {
  const before = await file.stat({ bigint: true });
  if (!before.isFile()) throw new Error(`is ${kindOf(before)}; expected a regular file`);
  if (before.size > maxOctets) throw new Error(`has ${before.size} octets; expected at most ${maxOctets}`);
  const content = Buffer.allocUnsafe(Number(before.size));
  const hash = createHash('sha256');
  let length = 0;
  while (length < content.length) {
    const { bytesRead } = await file.read(content, length, Math.min(content.length - length, READ_OCTETS), length);
    if (bytesRead === 0) break;
    hash.update(content.subarray(length, length + bytesRead));
    length += bytesRead;
  }
  const after = await file.stat({ bigint: true });
  if (length < content.length || versionOf(before) !== versionOf(after)) {
    throw new Error('changes while it is read; expected a program that writes a new file and renames it');
  }
  // A second change within the tick of the file system's clock leaves the times as they are.
  const age = now() - Number(after.mtimeMs);
  const version = Math.abs(age) < CLOCK_TICK_MS ? undefined : versionOf(after);
  return { content, digest: hash.digest('base64'), version };
}

function versionOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return `${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs}`;
}

function kindOf(stats: BigIntStats): string {
  if (stats.isDirectory()) return 'a directory';
  if (stats.isFIFO()) return 'a FIFO';
  return stats.isSocket() ? 'a socket' : 'a device';
}

/** Hashing this takes about a millisecond. */
const READ_OCTETS = 2 ** 20;

/** FAT keeps times of two seconds; NFS and other file systems are finer. */
const CLOCK_TICK_MS = 2_000;
