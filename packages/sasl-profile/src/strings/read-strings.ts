/** The announcement of a literal at the end of a line (RFC 9051 §4.3, RFC 7888, RFC 5804 §4). */
export interface Literal {
  readonly octets: number;
  /** True if the client waits for a continuation request before it sends the octets. */
  readonly isSynchronizing: boolean;
}

/** The strings of one line, and the literal that its last string is. */
export interface StringsOfLine {
  /** One character for each octet. */
  readonly strings: readonly string[];
  readonly literal: Literal | undefined;
}

/**
 * Reads the strings of a line: quoted strings, literals and, with `hasAtoms`, atoms (`astring` of
 * RFC 9051 §9, `string` of RFC 5804 §4). One space stands between them. `isContinued` is true for a
 * line behind a literal: it is empty or begins with a space. Returns undefined for another syntax.
 */
export function readStrings(text: string, isContinued: boolean, hasAtoms: boolean): StringsOfLine | undefined {
  const strings: string[] = [];
  const literal = literalAtEnd(text);
  const literalAt = literal === undefined ? -1 : text.lastIndexOf('{');
  let at = 0;
  let isFirst = !isContinued;
  while (isFirst || at < text.length) {
    if (!isFirst && text[at++] !== ' ') return undefined;
    isFirst = false;
    if (at === literalAt) return { strings, literal };
    STRING.lastIndex = at;
    const [whole, quoted, atom] = STRING.exec(text) ?? [];
    if (whole === undefined || (atom !== undefined && !hasAtoms)) return undefined;
    strings.push(quoted === undefined ? whole : quoted.replace(/\\(.)/g, '$1'));
    at = STRING.lastIndex;
  }
  return { strings, literal: undefined };
}

/** Returns the literal that a line announces at its end, in whatever command it is. */
export function literalAtEnd(line: string): Literal | undefined {
  const [, digits, plus] = LITERAL.exec(line) ?? [];
  return digits === undefined ? undefined : { octets: Number(digits), isSynchronizing: plus === '' };
}

/** Formats a text as a quoted string; undefined if it has other characters than printable ASCII. */
export function quote(text: string): string | undefined {
  return /^[ -~]*$/.test(text) ? `"${text.replace(/["\\]/g, '\\$&')}"` : undefined;
}

/** The digits of 2^64 (`number64` of RFC 9051 §9). */
const LITERAL = /\{(\d{1,20})(\+?)\}$/;
/**
 * A quoted string, or an atom with `]`. Quoted strings hold UTF-8 (RFC 9051 §4.3); older clients
 * send other octets there, and SASLprep judges them.
 */
const STRING = /"((?:[^\r\n\0"\\]|\\["\\])*)"|([!#$&'+,\-./0-9:;<=>?@A-Z[\]^_`a-z|}~]+)/y;
