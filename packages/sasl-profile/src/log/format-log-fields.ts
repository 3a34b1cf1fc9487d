/**
 * The fields of a log entry, by stable names. No field holds a secret; some hold text of a client.
 */
export type LogFields = Readonly<Record<string, unknown>>;

/**
 * Formats fields as one line for people: `remote=192.0.2.1:40000 user=joe`. A value with spaces,
 * quotes or `=` becomes JSON, and an error its message with those of its causes. An undefined field
 * is left out. Control characters are escaped, so that no value can end or colour the line.
 */
export function formatLogFields(fields: LogFields): string {
  const shown = Object.entries(fields).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name === 'err' ? 'error' : name}=${format(value)}`],
  );
  return printable(shown.join(' '));
}

/**
 * Escapes the characters that a terminal obeys: control and format characters, line endings and
 * bidi controls become `\x1b` or `\u202e`.
 */
export function printable(text: string): string {
  return text.replace(CONTROLS, (character) => {
    const code = character.codePointAt(0) ?? 0;
    if (code < 0x100) return `\\x${code.toString(16).padStart(2, '0')}`;
    return code < 0x10000 ? `\\u${code.toString(16).padStart(4, '0')}` : `\\u{${code.toString(16)}}`;
  });
}

function format(value: unknown): string {
  if (value instanceof Error) return JSON.stringify(describeError(value));
  if (isPlain(value, PLAIN)) return value;
  if (Array.isArray(value) && value.length > 0 && value.every((item) => isPlain(item, PLAIN_IN_LIST))) {
    return value.join(',');
  }
  return JSON.stringify(value) ?? '';
}

function isPlain(value: unknown, pattern: RegExp): value is string {
  return typeof value === 'string' && pattern.test(value);
}

function describeError(error: Error): string {
  return [...new Set(messagesOf(error))].join(': ');
}

/**
 * Returns the message of an error and those of its causes, which often repeat it. Several causes
 * are one message.
 */
function messagesOf(error: unknown): string[] {
  if (error instanceof AggregateError) return [error.errors.filter(isError).map(describeError).join('; ')];
  return isError(error) ? [error.message, ...messagesOf(error.cause)] : [];
}

function isError(value: unknown): value is Error {
  return value instanceof Error;
}

const PLAIN = /^[^\s"=]+$/;
const PLAIN_IN_LIST = /^[^\s"=,]+$/;
const CONTROLS = /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu;
