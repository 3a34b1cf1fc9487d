import { asBuffer } from './bytes.ts';

/** Bytes in base64 with padding (RFC 4648 §4), without line breaks. */
export function encodeBase64(bytes: Uint8Array): string {
  return asBuffer(bytes).toString('base64');
}

/**
 * The bytes of a strict base64 text (RFC 4648 §4), or undefined if it is none: only the alphabet, padding where it is due and
 * nowhere else, unused bits zero, no white space. The empty text is no bytes. The caller bounds the length.
 */
export function decodeBase64(text: string): Uint8Array | undefined {
  const bytes = Buffer.from(text, 'base64');
  // node skips over whatever is wrong. But every sequence of bytes has exactly one strict form: encoding it again shows all.
  return bytes.toString('base64') === text ? bytes : undefined;
}
