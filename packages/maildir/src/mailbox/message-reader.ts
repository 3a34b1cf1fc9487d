import { after, isPromise, type MaybePromise } from '@postern/core';
import type { MessageContent } from '@postern/pop3';
import { CRLF, copyWithCrlf, countBareLf, octetsOfEnd } from './line-endings.ts';
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
  readonly #buffer: Buffer;
  #converted: Buffer | undefined;
  /** The last read that was not synchronous. */
  #reading: Promise<unknown> | undefined;
  #position = 0;
  #previous = 0;
  #isAtEnd = false;

  constructor(handle: OpenFile, file: MessageFile) {
    this.#handle = handle;
    this.#file = file;
    this.#isCrlf = file.octets === file.storedOctets;
    // One octet more than expected shows the end of the file in the first read. A file that has
    // grown may have any size.
    const octets = Math.min(Math.max(file.storedOctets + 1, MIN_CHUNK_OCTETS), CHUNK_OCTETS);
    this.#buffer = Buffer.allocUnsafe(octets);
  }

  read(): MaybePromise<Uint8Array | undefined> {
    if (this.#isAtEnd) return this.#missingEnd();
    const reading = this.#handle.read(this.#buffer, 0, this.#buffer.length, this.#position);
    if (isPromise(reading)) this.#reading = reading;
    return after(reading, ({ bytesRead }) => this.#take(bytesRead));
  }

  /** Closes the file behind a read: the number of a closed file soon belongs to another one. */
  close(): MaybePromise<void> {
    const close = () => this.#handle.close();
    return this.#reading === undefined ? close() : this.#reading.then(close, close);
  }

  #take(bytesRead: number): Uint8Array | undefined {
    this.#position += bytesRead;
    if (bytesRead < this.#buffer.length) this.#end();
    return bytesRead === 0 ? this.#missingEnd() : this.#withCrlf(this.#buffer.subarray(0, bytesRead));
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
    if (countBareLf(bytes, bytes.length, previous) === 0) return bytes;
    this.#converted ??= Buffer.allocUnsafe(2 * this.#buffer.length);
    return this.#converted.subarray(0, copyWithCrlf(bytes, previous, this.#converted));
  }
}

const LF = 10;
const MIN_CHUNK_OCTETS = 4 * 1024;
const CHUNK_OCTETS = 64 * 1024;
