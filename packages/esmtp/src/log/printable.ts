/**
 * Escapes everything in the text that a terminal obeys: control characters, line ends and what turns the direction of writing
 * become `\x1b` or `\u202e`. Text that a client sent passes through here on its way to a human.
 */
export function printable(text: string): string {
  return text.replace(OBEYED, (character) => {
    const code = character.charCodeAt(0);
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16)}`;
  });
}

const OBEYED = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]|\p{Cs}/gu;
