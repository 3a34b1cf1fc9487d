import type { FileHandle } from 'node:fs/promises';

/** Writes all octets. One call of `write` may write fewer. */
export async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.length; ) {
    written += (await handle.write(bytes, written)).bytesWritten;
  }
}

/** Copies the octets of `from` after the position `start` to `to`. */
export async function copyFrom(from: FileHandle, start: number, to: FileHandle): Promise<void> {
  const buffer = new Uint8Array(BUFFER_OCTETS);
  for (let position = start; ; ) {
    const { bytesRead } = await from.read(buffer, 0, buffer.length, position);
    if (bytesRead === 0) return;
    position += bytesRead;
    await writeAll(to, buffer.subarray(0, bytesRead));
  }
}

const BUFFER_OCTETS = 64 * 1024;
