/**
 * Escapes everything in the text that a terminal obeys: control and format characters, line ends
 * and bidi controls become `\x1b` or `\u202e`. Text that a client sent passes through here on its
 * way to a human.
 */
export function printable(text: string): string {
  return text.replace(OBEYED, (character) => {
    const code = character.codePointAt(0) ?? 0;
    if (code < 0x100) return `\\x${code.toString(16).padStart(2, '0')}`;
    return code < 0x10000 ? `\\u${code.toString(16).padStart(4, '0')}` : `\\u{${code.toString(16)}}`;
  });
}

const OBEYED = /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu;
