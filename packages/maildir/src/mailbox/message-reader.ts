import { BufferPool } from '@postern/conversation';
import { after, isPromise, type MaybePromise } from '@postern/core';
import type { MessageContent } from '@postern/pop3';
import { CRLF, copyWithCrlf, octetsOfEnd } from './line-endings.ts';
import type { MessageFile } from './message-file.ts';
import type { OpenFile } from './prompt-files.ts';

/**
 * Reads a message file in chunks, with CRLF line endings, also behind the last line. A file with
 * CRLF is not copied.
 */
export class MessageReader implements MessageContent {
  readonly #handle: OpenFile;
  readonly #file: MessageFile;
  /** True if each LF of the file had a CR before it at the login: then nothing is converted. */
  readonly #isCrlf: boolean;
  readonly #buffers: BufferPool;
  /** The buffers in use: for the octets of the file, and for those with CRLF. */
  #buffer: Buffer | undefined;
  #converted: Buffer | undefined;
  /** The most octets of one read. */
  readonly #chunkOctets: number;
  /** The last read that was not synchronous. */
  #reading: Promise<unknown> | undefined;
  #position = 0;
  #previous = 0;
  #isAtEnd = false;

  constructor(handle: OpenFile, file: MessageFile, buffers: BufferPool) {
    this.#handle = handle;
    this.#file = file;
    this.#isCrlf = file.octets === file.storedOctets;
    this.#buffers = buffers;
    const maxOctets = this.#isCrlf ? CHUNK_OCTETS : CHUNK_OCTETS / 2;
    // One octet more than expected shows the end of the file in the first read. A file that has
    // grown may have any size.
    this.#chunkOctets = Math.min(Math.max(file.storedOctets + 1, MIN_CHUNK_OCTETS), maxOctets);
  }

  /** Returns the buffers that the readers of many files share. */
  static buffers(): BufferPool {
    return new BufferPool(CHUNK_OCTETS, MAX_KEPT_BUFFERS);
  }

  read(): MaybePromise<Uint8Array | undefined> {
    if (this.#isAtEnd) {
      this.#giveBuffers();
      return this.#missingEnd();
    }
    this.#buffer ??= this.#newBuffer(this.#chunkOctets);
    const buffer = this.#buffer;
    const reading = this.#handle.read(buffer, 0, this.#chunkOctets, this.#position);
    if (isPromise(reading)) this.#reading = reading;
    return after(reading, ({ bytesRead }) => this.#take(buffer, bytesRead));
  }

  /** Closes the file behind a read: the number of a closed file soon belongs to another one. */
  close(): MaybePromise<void> {
    const close = () => this.#handle.close();
    return this.#reading === undefined ? close() : this.#reading.then(close, close);
  }

  #take(buffer: Buffer, bytesRead: number): Uint8Array | undefined {
    this.#position += bytesRead;
    if (bytesRead < this.#chunkOctets) this.#end();
    if (bytesRead > 0) return this.#withCrlf(buffer.subarray(0, bytesRead));
    this.#giveBuffers();
    return this.#missingEnd();
  }

  /** Returns a buffer of the pool for a large message, else a part of memory that is in use. */
  #newBuffer(octets: number): Buffer {
    return octets < MIN_POOLED_OCTETS ? Buffer.allocUnsafe(octets) : this.#buffers.take();
  }

  /**
   * Gives the buffers back after the end, when the caller has used the last octets. A reader that
   * closes before leaves them to the garbage collector: a socket may still read them.
   */
  #giveBuffers(): void {
    for (const buffer of [this.#buffer, this.#converted]) {
      if (buffer?.length === CHUNK_OCTETS) this.#buffers.give(buffer);
    }
    this.#buffer = undefined;
    this.#converted = undefined;
  }

  /** Returns the CRLF that the last line lacks, once. */
  #missingEnd(): Uint8Array | undefined {
    if (this.#isCrlf || this.#position === 0 || octetsOfEnd(this.#previous) === 0) return undefined;
    this.#previous = LF;
    return CRLF;
  }

  /** A file that has changed since it was measured is measured again at the next login. */
  #end(): void {
    this.#isAtEnd = true;
    if (this.#position !== this.#file.storedOctets) this.#file.isChanged = true;
  }

  #withCrlf(bytes: Buffer): Uint8Array {
    if (this.#isCrlf) return bytes;
    const previous = this.#previous;
    this.#previous = bytes[bytes.length - 1] as number;
    this.#converted ??= this.#newBuffer(2 * this.#chunkOctets);
    return this.#converted.subarray(0, copyWithCrlf(bytes, previous, this.#converted));
  }
}

const LF = 10;
const MIN_CHUNK_OCTETS = 4 * 1024;
const CHUNK_OCTETS = 64 * 1024;
/** A smaller new buffer is cheap, and lies in memory that the process has already. */
const MIN_POOLED_OCTETS = 16 * 1024;
/** 1 MiB. */
const MAX_KEPT_BUFFERS = 16;
