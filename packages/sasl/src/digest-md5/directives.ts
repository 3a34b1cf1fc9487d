/** The directives of a message by their names in lower case, each with its values, unquoted, in their order. */
export type Directives = ReadonlyMap<string, readonly string[]>;

/**
 * The directives of a DIGEST-MD5 message (RFC 2831 §7), or undefined if it is none. All texts are byte strings, one character for
 * each byte: how they are encoded, one of the directives says.
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

/** Returns the text as a quoted-string (RFC 2831 §7.2). A control character stands in it as a quoted pair only. */
export function quote(text: string): string {
  return `"${text.replace(/["\\\0-\x08\x0b\x0c\x0e-\x1f\x7f]/g, '\\$&')}"`;
}

/** Bytes as a text with one character for each. */
export function byteString(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

/** What may stand between two directives. */
const GAP = /[\t\n\r ,]*/y;

/** token "=" ( token | quoted-string ) */
const DIRECTIVE =
  /([!#$%&'*+\-.^`|~\w]+)[\t\n\r ]*=[\t\n\r ]*(?:([!#$%&'*+\-.^`|~\w]+)|"((?:[\t\n\r\x20\x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\0-\x7f])*)")/y;
