import { type BigIntStats, constants } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';

/** The content of a file at one time, and the version by which a change is seen. */
export interface FileSnapshot {
  readonly content: Buffer;
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
  let length = 0;
  while (length < content.length) {
    const { bytesRead } = await file.read(content, length, content.length - length, length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  const after = await file.stat({ bigint: true });
  if (length < content.length || versionOf(before) !== versionOf(after)) {
    throw new Error('changes while it is read; expected a program that writes a new file and renames it');
  }
  // A second change within the tick of the file system's clock leaves the times as they are.
  const age = now() - Number(after.mtimeMs);
  return { content, version: Math.abs(age) < CLOCK_TICK_MS ? undefined : versionOf(after) };
}

function versionOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return `${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs}`;
}

function kindOf(stats: BigIntStats): string {
  if (stats.isDirectory()) return 'a directory';
  if (stats.isFIFO()) return 'a FIFO';
  return stats.isSocket() ? 'a socket' : 'a device';
}

/** FAT keeps times of two seconds; NFS and other file systems are finer. */
const CLOCK_TICK_MS = 2_000;
