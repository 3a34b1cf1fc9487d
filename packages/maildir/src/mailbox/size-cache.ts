import { constants } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { MaybePromise } from '@postern/core';
import { uniqueName } from '../file-name.ts';
import type { FileSystem } from '../file-system.ts';
import type { Permissions } from '../permissions.ts';
import { writeAll } from '../write-all.ts';
import type { MessageFile } from './message-file.ts';
import type { MailboxFiles } from './prompt-files.ts';
import type { Sizes } from './size-reader.ts';
import type { Turns } from './turns.ts';

/**
 * The sizes of the messages of a Maildir, in its file `postern-sizes`: a line with the version and
 * a checksum, and a line `octets stored-octets key` for each message. A damaged or missing file
 * costs only the time to measure the messages again.
 */
export class SizeCache {
  readonly #path: string;
  readonly #files: FileSystem;
  readonly #promptFiles: MailboxFiles;
  readonly #permissions: Permissions;

  constructor(path: string, { files, promptFiles }: SizeCacheFiles, permissions: Permissions) {
    this.#path = path;
    this.#files = files;
    this.#promptFiles = promptFiles;
    this.#permissions = permissions;
  }

  /** Resolves to the sizes by the keys of the messages. Empty for a missing or damaged file. */
  read(turns: Turns): MaybePromise<ReadonlyMap<string, Sizes>> {
    return this.#promptFiles.exists?.(this.#file) === false ? NO_SIZES : this.#read(turns);
  }

  async #read(turns: Turns): Promise<ReadonlyMap<string, Sizes>> {
    const bytes = await this.#readFile().catch(() => undefined);
    const end = bytes?.indexOf('\n') ?? -1;
    if (bytes === undefined || end === -1) return NO_SIZES;
    const lines = bytes.subarray(end + 1);
    if (bytes.toString('latin1', 0, end) !== header(lines)) return NO_SIZES;
    return await parse(lines.toString('latin1'), turns);
  }

  /**
   * Replaces the file. A loss of power may damage it, because it is not synced.
   *
   * @throws the error of the file system
   */
  async write(messages: Iterable<MessageFile>, turns: Turns): Promise<void> {
    const lines = Buffer.from(await format(messages, turns), 'latin1');
    const tmp = join(this.#path, 'tmp', uniqueName());
    try {
      const handle = await this.#files.open(tmp, 'wx', this.#permissions.fileMode);
      await this.#permissions.applyToFile(handle);
      try {
        await writeAll(handle, Buffer.from(`${header(lines)}\n`));
        await writeAll(handle, lines);
      } finally {
        await handle.close();
      }
      await this.#files.rename(tmp, this.#file);
    } catch (error) {
      await this.#files.unlink(tmp).catch(() => {});
      throw error;
    }
  }

  get #file(): string {
    return `${this.#path}/${FILE_NAME}`;
  }

  async #readFile(): Promise<Buffer | undefined> {
    const handle = await this.#promptFiles.open(this.#file, READ_ONLY);
    try {
      const stats = await handle.stat();
      if (!stats.isFile() || stats.size > MAX_OCTETS) return undefined;
      const bytes = Buffer.allocUnsafe(stats.size);
      const { bytesRead } = await handle.read(bytes, 0, bytes.length, 0);
      // The checksum recognizes a file that was not read whole.
      return bytes.subarray(0, bytesRead);
    } finally {
      await handle.close();
    }
  }
}

/** The file systems of a {@link SizeCache}. */
interface SizeCacheFiles {
  /** The file system for the write. */
  readonly files: FileSystem;
  /** The file system for the read, which a login waits for. */
  readonly promptFiles: MailboxFiles;
}

async function parse(text: string, turns: Turns): Promise<ReadonlyMap<string, Sizes>> {
  const sizes = new Map<string, Sizes>();
  for (let start = 0; start < text.length; ) {
    const end = text.indexOf('\n', start);
    const first = text.indexOf(' ', start);
    const second = text.indexOf(' ', first + 1);
    if (end === -1) break;
    const octets = Number(text.slice(start, first));
    const storedOctets = Number(text.slice(first + 1, second));
    // The owner of the Maildir may write the file as well.
    const isPlausible = storedOctets >= 0 && octets >= storedOctets && Number.isSafeInteger(octets);
    if (isPlausible) sizes.set(text.slice(second + 1, end), { octets, storedOctets });
    if (sizes.size === MAX_ENTRIES) break;
    start = end + 1;
    if (turns.isOver) await turns.next();
  }
  return sizes;
}

async function format(messages: Iterable<MessageFile>, turns: Turns): Promise<string> {
  const lines: string[] = [];
  let length = 0;
  for (const { octets, storedOctets, key } of messages) {
    if (key.includes('\n')) continue;
    const line = `${octets} ${storedOctets} ${key}\n`;
    length += line.length;
    if (length > MAX_OCTETS / 2) break;
    lines.push(line);
    if (turns.isOver) await turns.next();
  }
  return lines.join('');
}

function header(lines: Buffer): string {
  return `postern-sizes 1 ${crc32(lines).toString(16)}`;
}

const FILE_NAME = 'postern-sizes';
const NO_SIZES: ReadonlyMap<string, Sizes> = new Map();
/** Short keys would make millions of entries, and gigabytes of memory. */
const MAX_ENTRIES = 1_000_000;
/** Room for about 500,000 messages. */
const MAX_OCTETS = 64 * 1024 * 1024;
const READ_ONLY = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
