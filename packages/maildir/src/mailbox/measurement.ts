import { performance } from 'node:perf_hooks';
import type { FileSystem } from '../file-system.ts';
import { followRenames } from './follow-renames.ts';
import type { MessageFile } from './message-file.ts';
import { SizeReader, type Sizes } from './size-reader.ts';
import type { Turns } from './turns.ts';

/**
 * Measures the messages of a Maildir that are not in the cache of sizes. Small files are read
 * synchronously, in turns of a few milliseconds: for files in the page cache this takes a fifth of
 * the time of promises. After a slow read, other threads read the next files.
 */
export class Measurement {
  #readFiles = 0;
  #readOctets = 0;
  readonly #maildir: string;
  readonly #files: FileSystem;
  readonly #turns: Turns;
  readonly #check: () => void;
  readonly #reader: SizeReader;
  /** The number of files to read in other threads, after a slow one. */
  #slowFiles = 0;

  /** `check` throws the reason why the sizes are not needed any more. */
  constructor(maildir: string, files: FileSystem, turns: Turns, check: () => void) {
    this.#maildir = maildir;
    this.#files = files;
    this.#turns = turns;
    this.#check = check;
    this.#reader = new SizeReader(files, check);
  }

  /** True if a cache of the sizes saves the next login more time than its write takes. */
  get isWorthwhile(): boolean {
    return this.#readFiles >= MIN_READ_FILES || this.#readOctets >= MIN_READ_OCTETS;
  }

  /** Sets the sizes of the messages. Resolves to those that are still there, in their order. */
  async run(list: readonly MessageFile[], known: ReadonlyMap<string, Sizes>): Promise<readonly MessageFile[]> {
    const unknown: MessageFile[] = [];
    for (const file of list) {
      const sizes = file.distinction === '' ? known.get(file.key) : undefined;
      if (sizes === undefined) unknown.push(file);
      else file.setSizes(sizes);
      if (this.#turns.isOver) await this.#pause();
    }
    const missing = await this.#measure(unknown);
    if (missing.length === 0) return list;
    const renamed = await followRenames(missing, this.#maildir, this.#files);
    const gone = new Set(await this.#measure(missing.filter((file) => renamed.has(file))));
    for (const file of missing) if (!renamed.has(file)) gone.add(file);
    return list.filter((file) => !gone.has(file));
  }

  /** Measures files. Resolves to the ones that are not there. */
  async #measure(unknown: readonly MessageFile[]): Promise<readonly MessageFile[]> {
    const missing: MessageFile[] = [];
    for (let index = 0; index < unknown.length; ) {
      const batch = unknown.slice(index, index + (this.#slowFiles > 0 ? PARALLEL_READS : 1));
      if (batch.length > 1 || !batch.every((file) => this.#measureSync(file))) {
        this.#slowFiles -= batch.length;
        const results = await Promise.all(batch.map((file) => this.#measureAsync(file)));
        missing.push(...batch.filter((_, position) => results[position] === false));
      }
      index += batch.length;
      if (this.#turns.isOver) await this.#pause();
    }
    return missing;
  }

  #measureSync(file: MessageFile): boolean {
    const began = performance.now();
    const sizes = this.#reader.measureSync(file.pathIn(this.#maildir));
    if (performance.now() - began > SLOW_READ_MS) this.#slowFiles = FILES_AFTER_SLOW_READ;
    return this.#set(file, sizes);
  }

  async #measureAsync(file: MessageFile): Promise<boolean> {
    return this.#set(file, await this.#reader.measure(file.pathIn(this.#maildir)));
  }

  #set(file: MessageFile, sizes: Sizes | undefined): boolean {
    if (sizes === undefined) return false;
    file.setSizes(sizes);
    this.#readFiles += 1;
    this.#readOctets += sizes.storedOctets;
    return true;
  }

  async #pause(): Promise<void> {
    await this.#turns.next();
    this.#check();
  }
}

/** Half of the threads of libuv: password hashes and DNS need the others. */
const PARALLEL_READS = 2;
const MIN_READ_FILES = 64;
const MIN_READ_OCTETS = 1024 * 1024;
const SLOW_READ_MS = 4;
const FILES_AFTER_SLOW_READ = 64;
