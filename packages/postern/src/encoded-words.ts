/** The text of a header field with its encoded words (RFC 2047) decoded; those in a charset nobody knows stay as they are. */
export function decodeWords(text: string): string {
  // White space between two encoded words is not part of the text (RFC 2047 §6.2).
  const joined = text.replace(/(\?=)[ \t]+(?==\?)/g, '$1');
  return joined.replace(ENCODED_WORD, (word, charset: string, encoding: string, encoded: string) => {
    try {
      return new TextDecoder(charset).decode(/b/i.test(encoding) ? Buffer.from(encoded, 'base64') : quoted(encoded));
    } catch {
      return word;
    }
  });
}

function quoted(encoded: string): Buffer {
  const octets = encoded
    .replaceAll('_', ' ')
    .replace(/=([0-9A-F]{2})/gi, (_match, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(octets, 'latin1');
}

/** Charset, perhaps with a language (RFC 2231 §5), encoding, text. */
const ENCODED_WORD = /=\?([\w-]+)(?:\*[\w-]*)?\?([bq])\?([^? ]*)\?=/gi;
