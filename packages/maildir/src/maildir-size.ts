import { constants } from 'node:fs';
import { join } from 'node:path';
import { codeOf, isMissing } from './file-errors.ts';
import { sizeIn, uniqueName } from './file-name.ts';
import type { FileSystem } from './file-system.ts';
import type { Permissions } from './permissions.ts';

/** The content of a `maildirsize` file. */
export interface RecordedSize {
  /** The octets of all messages. */
  readonly octets: number;
  /** The number of lines after the quota: one total, and one line for each addition. */
  readonly lines: number;
  /** The octets of the file itself. A long file is rewritten (Maildir++). */
  readonly length: number;
  /** The time of the last change, in milliseconds since 1970. */
  readonly changedAt: number;
}

/** The number of messages in a Maildir, and their octets. */
export interface Total {
  readonly octets: number;
  readonly messages: number;
}

/**
 * The `maildirsize` file of a Maildir (Maildir++): a line with the quota, `1000000S`, and lines
 * with added octets and messages, `1234 1`. Each program that adds or removes a message appends a
 * line, so that the sum is known without reading the messages.
 */
export class MaildirSize {
  readonly #path: string;
  readonly #files: FileSystem;
  readonly #permissions: Permissions;

  constructor(path: string, files: FileSystem, permissions: Permissions) {
    this.#path = path;
    this.#files = files;
    this.#permissions = permissions;
  }

  /**
   * Reads the file. Resolves to `missing` without a file, and to `unusable` for a bad file or
   * another quota.
   */
  async read(quota: number): Promise<RecordedSize | 'missing' | 'unusable'> {
    const buffer = Buffer.allocUnsafe(MAX_FILE_OCTETS);
    try {
      const handle = await this.#files.open(this.#file, 'r');
      try {
        const { mtimeMs } = await handle.stat();
        const { bytesRead } = await handle.read(buffer, 0, buffer.length, 0);
        if (bytesRead === buffer.length) return 'unusable';
        const total = parse(buffer.toString('latin1', 0, bytesRead), quota);
        return total === undefined ? 'unusable' : { ...total, length: bytesRead, changedAt: mtimeMs };
      } finally {
        await handle.close();
      }
    } catch (error) {
      if (isMissing(error)) return 'missing';
      throw error;
    }
  }

  /**
   * Appends a line with added octets and messages, negative if they were removed. One write keeps
   * lines of several processes whole.
   */
  async add({ octets, messages }: Total): Promise<void> {
    const handle = await this.#files.open(this.#file, 'a', this.#permissions.fileMode);
    try {
      await handle.write(Buffer.from(`${octets} ${messages}\n`));
    } finally {
      await handle.close();
    }
  }

  /**
   * Subtracts removed messages from the record of a Maildir. A Maildir without a record gets none.
   *
   * @throws the error of the file system
   */
  static async subtract(path: string, files: FileSystem, { octets, messages }: Total): Promise<void> {
    try {
      const handle = await files.open(join(path, FILE_NAME), APPEND_TO_EXISTING);
      try {
        await handle.write(Buffer.from(`${-octets} ${-messages}\n`));
      } finally {
        await handle.close();
      }
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }

  /**
   * Counts all messages, with those in Maildir++ folders. Other work of the process continues
   * meanwhile.
   */
  async count(): Promise<Total> {
    let [octets, messages] = [0, 0];
    for (const folder of await this.#folders()) {
      for await (const { name } of await this.#open(folder)) {
        octets += sizeIn(name) ?? (await this.#sizeOf(join(folder, name)));
        messages += 1;
      }
    }
    return { octets, messages };
  }

  /**
   * Replaces the file that was read before the count. Lines that other processes have appended
   * since are kept, and so is a file that they have created since. A Maildir that does not exist
   * gets no file.
   */
  async write(
    quota: number,
    { octets, messages }: Total,
    before: RecordedSize | 'missing' | 'unusable',
  ): Promise<void> {
    const tmp = join(this.#path, 'tmp', uniqueName());
    try {
      const handle = await this.#files.open(tmp, 'wx', this.#permissions.fileMode);
      await this.#permissions.applyToFile(handle);
      try {
        const added = typeof before === 'object' ? await this.#linesAfter(before.length) : '';
        await handle.write(Buffer.from(`${quota}S\n${octets} ${messages}\n${added}`));
      } finally {
        await handle.close();
      }
      if (before === 'missing') await this.#files.link(tmp, this.#file);
      else await this.#files.rename(tmp, this.#file);
    } catch (error) {
      if (!isMissing(error) && codeOf(error) !== 'EEXIST') throw error;
    } finally {
      await this.#files.unlink(tmp).catch(() => {});
    }
  }

  get #file(): string {
    return join(this.#path, FILE_NAME);
  }

  async #linesAfter(position: number): Promise<string> {
    const handle = await this.#files.open(this.#file, 'r');
    try {
      const buffer = Buffer.allocUnsafe(MAX_FILE_OCTETS);
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, position);
      return buffer.toString('latin1', 0, bytesRead);
    } finally {
      await handle.close();
    }
  }

  async #folders(): Promise<readonly string[]> {
    const names = await this.#list();
    const folders = names.filter((name) => name.startsWith('.')).map((name) => join(this.#path, name));
    return [this.#path, ...folders].flatMap((folder) => [join(folder, 'new'), join(folder, 'cur')]);
  }

  /** Lists the Maildir. A Maildir that does not exist is empty. */
  async #list(): Promise<readonly string[]> {
    try {
      return await this.#files.readdir(this.#path);
    } catch (error) {
      if (isMissing(error)) return [];
      throw error;
    }
  }

  /** Opens a folder to read it in pieces: one array of all names would block other work. */
  async #open(folder: string): Promise<AsyncIterable<{ readonly name: string }>> {
    try {
      return await this.#files.opendir(folder, { bufferSize: NAMES_PER_READ });
    } catch (error) {
      if (isMissing(error)) return NO_NAMES;
      throw error;
    }
  }

  /** Returns the size of a file. A file that was removed meanwhile has no octets. */
  async #sizeOf(path: string): Promise<number> {
    try {
      return (await this.#files.stat(path)).size;
    } catch (error) {
      if (isMissing(error)) return 0;
      throw error;
    }
  }
}

function parse(text: string, quota: number): { readonly octets: number; readonly lines: number } | undefined {
  const [definition, ...lines] = text.split('\n');
  // A last line without LF was written only in part.
  if (lines.pop() !== '' || lines.length === 0 || definition?.trim() !== `${quota}S`) return undefined;
  let octets = 0;
  for (const line of lines) {
    const added = /^ *(-?\d{1,15}) +-?\d{1,15} *$/.exec(line)?.[1];
    if (added === undefined) return undefined;
    octets += Number(added);
  }
  return octets < 0 ? undefined : { octets, lines: lines.length };
}

const FILE_NAME = 'maildirsize';
const APPEND_TO_EXISTING = constants.O_WRONLY | constants.O_APPEND;
/** The most octets of a file to read. A file of Maildir++ stays below 5,120 octets. */
const MAX_FILE_OCTETS = 65_536;
const NAMES_PER_READ = 256;
const NO_NAMES: AsyncIterable<never> = {
  async *[Symbol.asyncIterator]() {},
};
