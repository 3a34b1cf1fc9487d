import type { MaybePromise } from '@postern/cred';
import { type Spool, type SpoolFile, throwSpoolError } from './spool.ts';

/** The octets of one message: in memory up to 64 KiB, then in a temporary file. */
export class SpooledContent {
  readonly #spool: Spool;
  readonly #keys: readonly string[];
  /**
   * The octets that are not in the file. Allocated with the first octet, at most
   * `MAX_BUFFER_OCTETS`.
   */
  #buffer: Buffer = NO_OCTETS;
  #buffered = 0;
  #file: SpoolFile | undefined;
  /** The number of octets in the file. */
  #written = 0;
  #octets = 0;
  #closed = false;

  /** Takes the spool, and the keys of the client whose share counts the octets. */
  constructor(spool: Spool, keys: readonly string[]) {
    this.#spool = spool;
    this.#keys = keys;
  }

  /** The number of octets so far. */
  get octets(): number {
    return this.#octets;
  }

  /**
   * Appends a copy of the chunk. Returns a promise only if it writes to the file.
   *
   * @throws SpoolFull, SpoolFailed
   */
  append(chunk: Uint8Array): MaybePromise<void> {
    this.#spool.take(this.#keys, chunk.length);
    this.#octets += chunk.length;
    if (this.#buffered + chunk.length > MAX_BUFFER_OCTETS) return this.#overflow(chunk);
    this.#keep(chunk);
  }

  /** Yields all octets in pieces. A piece is valid until the next one is requested. */
  async *read(): AsyncGenerator<Uint8Array, void, undefined> {
    if (this.#file !== undefined) {
      const piece = Buffer.allocUnsafeSlow(Math.min(this.#written, MAX_READ_OCTETS));
      for (let position = 0; position < this.#written; ) {
        const length = Math.min(piece.length, this.#written - position);
        const { bytesRead } = await this.#file.read(piece, 0, length, position).catch(throwSpoolError);
        if (bytesRead === 0) throwSpoolError(new Error('the file is shorter than the message'));
        position += bytesRead;
        yield piece.subarray(0, bytesRead);
      }
    }
    if (this.#buffered > 0) yield this.#buffer.subarray(0, this.#buffered);
  }

  /** Discards the octets and frees their room. Never rejects. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#buffer = NO_OCTETS;
    this.#buffered = 0;
    const file = this.#file;
    this.#file = undefined;
    // The file system frees the octets when the file is closed.
    await file?.close().catch(() => {});
    this.#spool.give(this.#keys, this.#octets);
  }

  #keep(chunk: Uint8Array): void {
    const length = this.#buffered + chunk.length;
    if (length > this.#buffer.length) {
      const size = Math.min(MAX_BUFFER_OCTETS, Math.max(MIN_BUFFER_OCTETS, 2 ** Math.ceil(Math.log2(length))));
      const buffer = Buffer.allocUnsafeSlow(size);
      this.#buffer.copy(buffer, 0, 0, this.#buffered);
      this.#buffer = buffer;
    }
    this.#buffer.set(chunk, this.#buffered);
    this.#buffered = length;
  }

  /** Writes the buffer to the file, and the chunk as well if it does not fit into the buffer. */
  async #overflow(chunk: Uint8Array): Promise<void> {
    const file = this.#file ?? (await this.#open());
    const buffered = this.#buffer.subarray(0, this.#buffered);
    await this.#write(file, buffered);
    this.#buffered = 0;
    if (chunk.length < MAX_BUFFER_OCTETS) this.#keep(chunk);
    else await this.#write(file, chunk);
  }

  async #open(): Promise<SpoolFile> {
    const file = await this.#spool.openFile();
    if (this.#closed) {
      await file.close();
      throw new Error('the message was aborted');
    }
    this.#file = file;
    return file;
  }

  async #write(file: SpoolFile, octets: Uint8Array): Promise<void> {
    for (let index = 0; index < octets.length; ) {
      const { bytesWritten } = await file
        .write(octets, index, octets.length - index, this.#written)
        .catch(throwSpoolError);
      index += bytesWritten;
      this.#written += bytesWritten;
    }
  }
}

const MIN_BUFFER_OCTETS = 4_096;
const MAX_BUFFER_OCTETS = 65_536;
const MAX_READ_OCTETS = 131_072;
const NO_OCTETS: Buffer = Buffer.alloc(0);
