import { isUtf8 } from 'node:buffer';

/** No bytes: the empty challenge, or the empty response. */
export const NO_BYTES = new Uint8Array(0);

/** The bytes of a text, in UTF-8. */
export function encodeUtf8(text: string): Uint8Array {
  // A fourth of what a TextEncoder takes.
  return Buffer.from(text);
}

/** The text of bytes in UTF-8, a byte order mark included; undefined if they are not well-formed UTF-8 (RFC 3629 §3). */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  if (!isUtf8(bytes)) return undefined;
  return asBuffer(bytes).toString();
}

/** The same bytes as a Buffer, without copying. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
