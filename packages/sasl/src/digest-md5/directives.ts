import { asBuffer } from '../bytes.ts';

/** The directives of a message: the unquoted values in their order, by the name in lower case. */
export type Directives = ReadonlyMap<string, readonly string[]>;

/**
 * Returns the directives of a DIGEST-MD5 message (RFC 2831 §7). Returns undefined for a text
 * outside the grammar. Names and values are byte strings, one character for each byte: the
 * directive `charset` decides how to decode them.
 */
export function parseDirectives(message: string): Directives | undefined {
  const directives = new Map<string, string[]>();
  const gap = new RegExp(GAP);
  const directive = new RegExp(DIRECTIVE);
  for (let first = true; ; first = false) {
    const separator = gap.exec(message)?.[0] ?? '';
    if (gap.lastIndex === message.length) return directives;
    if (!first && !separator.includes(',')) return undefined;

    directive.lastIndex = gap.lastIndex;
    const match = directive.exec(message);
    if (match === null) return undefined;
    gap.lastIndex = directive.lastIndex;
    const [, name = '', token, quoted = ''] = match;
    const key = name.toLowerCase();
    directives.set(key, [...(directives.get(key) ?? []), token ?? quoted.replace(/\\(.)/gs, '$1')]);
  }
}

/**
 * Returns the text as a quoted-string (RFC 2831 §7.2), with each control character as a quoted
 * pair.
 */
export function quote(text: string): string {
  return `"${text.replace(/["\\\0-\x08\x0b\x0c\x0e-\x1f\x7f]/g, '\\$&')}"`;
}

/** Returns a text with one character for each byte. */
export function byteString(bytes: Uint8Array): string {
  return asBuffer(bytes).toString('latin1');
}

/** The separators between two directives. */
const GAP = /[\t\n\r ,]*/y;

/** `token "=" ( token | quoted-string )` (RFC 2831 §7.1). */
const DIRECTIVE =
  /([!#$%&'*+\-.^`|~\w]+)[\t\n\r ]*=[\t\n\r ]*(?:([!#$%&'*+\-.^`|~\w]+)|"((?:[\t\n\r\x20\x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\0-\x7f])*)")/y;
