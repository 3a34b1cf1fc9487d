/** The parameters of a challenge or of credentials: the unquoted values, by lower-case name. */
export type AuthParams = ReadonlyMap<string, string>;

/**
 * Parses the auth-params of RFC 9110 §11.2: `name=value, name="quoted value"`. A value without
 * quotes may contain all characters of base64, because RFC 7804 §5 writes such values. Returns
 * undefined for a text outside the grammar, for a name that occurs twice, and for more than 32
 * parameters. The time is linear in the length of the text.
 */
export function parseAuthParams(text: string): AuthParams | undefined {
  const params = new Map<string, string>();
  const gap = new RegExp(GAP);
  const param = new RegExp(PARAM);
  for (let isFirst = true; ; isFirst = false) {
    const separator = gap.exec(text)?.[0] ?? '';
    if (gap.lastIndex === text.length) return params;
    if (!isFirst && !separator.includes(',')) return undefined;

    param.lastIndex = gap.lastIndex;
    const match = param.exec(text);
    if (match === null || params.size === MAX_PARAMS) return undefined;
    gap.lastIndex = param.lastIndex;
    const [, name = '', unquoted, quoted = ''] = match;
    const key = name.toLowerCase();
    if (params.has(key)) return undefined;
    params.set(key, unquoted ?? quoted.replace(/\\(.)/gs, '$1'));
  }
}

/** Returns a text as a quoted-string (RFC 9110 §5.6.4). The text has no control characters. */
export function quote(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}

/** Returns true if a quoted-string can contain the text: no control characters but TAB. */
export function isQuotable(text: string): boolean {
  return /^[\t\x20-\x7e\x80-\xff]*$/.test(text);
}

/** The separators between two parameters. */
const GAP = /[\t ,]*/y;

/** `token BWS "=" BWS ( token | quoted-string )`. `/` and `=` are those of base64. */
const PARAM =
  /([!#$%&'*+\-.^`|~\w]+)[\t ]*=[\t ]*(?:([!#$%&'*+\-.^`|~\w/]+=*)|"((?:[\t\x20\x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t\x20-\x7e\x80-\xff])*)")/y;

const MAX_PARAMS = 32;
