import type { FileHandle } from 'node:fs/promises';
import type { MessageContent } from '@postern/pop3';
import { copyWithCrlf, countBareLf } from './line-endings.ts';

/** Reads a message file in chunks, with CRLF line endings. A file with CRLF is not copied. */
export class MessageReader implements MessageContent {
  readonly #handle: FileHandle;
  readonly #buffer: Buffer;
  #converted: Buffer | undefined;
  #position = 0;
  #previous = 0;

  /** `storedOctets` is the expected size of the file: a small file needs a small buffer. */
  constructor(handle: FileHandle, storedOctets: number) {
    this.#handle = handle;
    this.#buffer = Buffer.allocUnsafe(Math.max(1, Math.min(storedOctets, CHUNK_OCTETS)));
  }

  async read(): Promise<Uint8Array | undefined> {
    const { bytesRead } = await this.#handle.read(this.#buffer, 0, this.#buffer.length, this.#position);
    if (bytesRead === 0) return undefined;
    this.#position += bytesRead;
    const bytes = this.#buffer.subarray(0, bytesRead);
    const previous = this.#previous;
    this.#previous = bytes[bytesRead - 1] as number;
    if (countBareLf(bytes, bytesRead, previous) === 0) return bytes;
    this.#converted ??= Buffer.allocUnsafe(2 * this.#buffer.length);
    return this.#converted.subarray(0, copyWithCrlf(bytes, previous, this.#converted));
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}

const CHUNK_OCTETS = 64 * 1024;
