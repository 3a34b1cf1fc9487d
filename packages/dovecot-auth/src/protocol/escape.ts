/**
 * Returns a value of a field as it stands in a line of Dovecot's protocols: without NUL, TAB, CR
 * and LF.
 */
export function escapeField(value: string): string {
  return ESCAPED.test(value) ? value.replace(ESCAPED_ALL, (character) => ESCAPES.get(character) as string) : value;
}

/** Returns the value that {@link escapeField} wrote. An unknown escape is its last character. */
export function unescapeField(field: string): string {
  if (!field.includes('\x01')) return field;
  return field.replace(ESCAPE, (_escape, character: string) => UNESCAPES.get(character) ?? character);
}

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['\0', '\x010'],
  ['\x01', '\x011'],
  ['\t', '\x01t'],
  ['\r', '\x01r'],
  ['\n', '\x01n'],
]);
const UNESCAPES: ReadonlyMap<string, string> = new Map([
  ['0', '\0'],
  ['1', '\x01'],
  ['t', '\t'],
  ['r', '\r'],
  ['n', '\n'],
]);
const ESCAPED = /[\0\x01\t\r\n]/;
const ESCAPED_ALL = /[\0\x01\t\r\n]/g;
const ESCAPE = /\x01(.?)/gs;
