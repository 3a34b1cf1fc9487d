import { join } from 'node:path';
import type { FileSystem } from './file-system.ts';
import type { Permissions } from './permissions.ts';
import { codeOf } from './trouble.ts';
import { sizeIn, uniqueName } from './unique-name.ts';

/** What a `maildirsize` file says. */
export interface KeptSize {
  /** Octets of all messages. */
  readonly octets: number;
  /** Lines after the first one: each is an addition, except for the first of them. */
  readonly lines: number;
  /** Octets of the file itself; a longer file is to be written anew (Maildir++). */
  readonly length: number;
  /** When the file was changed last, in milliseconds since 1970. */
  readonly changedAt: number;
}

/** The messages of a Maildir: octets and how many. */
export interface Total {
  readonly octets: number;
  readonly messages: number;
}

/**
 * The `maildirsize` file of a Maildir (Maildir++): a line with the quota, `1000000S`, and lines with octets and messages that were
 * added, `1234 1`. Each program that adds or removes messages appends a line, so nobody has to look at the messages.
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

  /** Resolves to `missing` if there is no file, and to `unusable` if it says nothing of this quota. */
  async read(quota: number): Promise<KeptSize | 'missing' | 'unusable'> {
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

  /** Appends a line: what was added, or, negative, what was removed. One write, so that lines of several processes stay whole. */
  async add({ octets, messages }: Total): Promise<void> {
    const handle = await this.#files.open(this.#file, 'a', this.#permissions.fileMode);
    try {
      await handle.write(Buffer.from(`${octets} ${messages}\n`));
    } finally {
      await handle.close();
    }
  }

  /** Looks at all messages, those of the folders of Maildir++ included; other work has its turn meanwhile. */
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
   * Writes the file anew in the place of what was read before the count. Lines that other processes have added since stay, and so does
   * a file that they have made since. A Maildir that is not there yet gets none.
   */
  async write(quota: number, { octets, messages }: Total, before: KeptSize | 'missing' | 'unusable'): Promise<void> {
    const tmp = join(this.#path, 'tmp', uniqueName());
    try {
      const handle = await this.#files.open(tmp, 'wx', this.#permissions.fileMode);
      await this.#permissions.applyToFile(handle);
      try {
        const added = typeof before === 'object' ? await this.#linesBehind(before.length) : '';
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
    return join(this.#path, 'maildirsize');
  }

  async #linesBehind(position: number): Promise<string> {
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

  /** A Maildir that is not there yet is empty. */
  async #list(): Promise<readonly string[]> {
    try {
      return await this.#files.readdir(this.#path);
    } catch (error) {
      if (isMissing(error)) return [];
      throw error;
    }
  }

  /** Opens a folder to read it in pieces: an array of all names would keep everybody else waiting. */
  async #open(folder: string): Promise<AsyncIterable<{ readonly name: string }>> {
    try {
      return await this.#files.opendir(folder, { bufferSize: NAMES_AT_ONCE });
    } catch (error) {
      if (isMissing(error)) return NO_NAMES;
      throw error;
    }
  }

  /** A file that is gone meanwhile takes no room. */
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
  // A last line without its end is torn.
  if (lines.pop() !== '' || lines.length === 0 || definition?.trim() !== `${quota}S`) return undefined;
  let octets = 0;
  for (const line of lines) {
    const added = /^ *(-?\d{1,15}) +-?\d{1,15} *$/.exec(line)?.[1];
    if (added === undefined) return undefined;
    octets += Number(added);
  }
  return octets < 0 ? undefined : { octets, lines: lines.length };
}

/** Beyond, the file is no `maildirsize` of any program that keeps to Maildir++. */
const MAX_FILE_OCTETS = 65_536;
const NAMES_AT_ONCE = 256;
const NO_NAMES: AsyncIterable<never> = {
  async *[Symbol.asyncIterator]() {},
};

function isMissing(error: unknown): boolean {
  return codeOf(error) === 'ENOENT';
}
