import { printable } from './printable.ts';

/**
 * What an entry of a log tells beside its message, by stable names. Never a secret; text of a
 * client may be in it.
 */
export type LogFields = Readonly<Record<string, unknown>>;

/**
 * Formats the fields of an entry as text for people: `remote=192.0.2.1:40000 user=joe`. Values with
 * blanks, quotes or `=` are JSON, an error is its message with those of its causes, and an
 * undefined field is left out. No text in it can break the line, or colour it.
 */
export function formatLogFields(fields: LogFields): string {
  const shown = Object.entries(fields).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name === 'err' ? 'error' : name}=${show(value)}`],
  );
  return printable(shown.join(' '));
}

function show(value: unknown): string {
  if (value instanceof Error) return JSON.stringify([...new Set(causes(value))].join(': '));
  if (isPlain(value, PLAIN)) return value;
  if (Array.isArray(value) && value.length > 0 && value.every((one) => isPlain(one, PLAIN_IN_LIST))) {
    return value.join(',');
  }
  return JSON.stringify(value) ?? '';
}

function isPlain(value: unknown, pattern: RegExp): value is string {
  return typeof value === 'string' && pattern.test(value);
}

/** An error's message and those of what caused it, outermost first: often in the same words. */
function causes(error: Error): string[] {
  return [error.message, ...(error.cause instanceof Error ? causes(error.cause) : [])];
}

const PLAIN = /^[^\s"=]+$/;
const PLAIN_IN_LIST = /^[^\s"=,]+$/;
