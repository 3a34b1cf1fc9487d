/** No bytes: the empty challenge, or the empty response. */
export const EMPTY = new Uint8Array(0);

const encoder = new TextEncoder();

/** The bytes of a text, in UTF-8. */
export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}
