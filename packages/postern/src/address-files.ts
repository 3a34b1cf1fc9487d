import { type AliasEntry, parseMailbox } from '@postern/esmtp';
import { UsageError } from './errors.ts';

/** The entries of an alias file, and the line of each name. */
export interface NamedTargets {
  readonly entries: readonly AliasEntry[];
  /** Returns `FILE:LINE` of a name. */
  readonly placeOf: (name: string) => string;
}

/**
 * Parses `name: target, target`, one name a line, as in aliases(5). A line that begins with a blank
 * continues the line above; `#` begins a comment line. A name with a colon, and a target with a
 * comma, must be quoted.
 *
 * @throws UsageError that names the file and the line.
 */
export function parseNamedTargets(text: string, file: string): NamedTargets {
  const places = new Map<string, string>();
  const entries = logicalLines(text).map(({ content, line }): AliasEntry => {
    const place = `${file}:${line}`;
    const [, name = '', list = ''] = /^((?:"[^"]*"|[^":])+):(.*)$/s.exec(content) ?? [];
    const targets = splitTargets(list);
    if (name.trim() === '' || targets.length === 0) {
      throw new UsageError(`${place}: expected name: target, target`);
    }
    const key = name.trim();
    if (!places.has(key)) places.set(key, place);
    return [key, targets];
  });
  return { entries, placeOf: (name) => places.get(name) ?? file };
}

/** Splits a list of addresses at each comma outside quotes. */
export function splitTargets(list: string): readonly string[] {
  return (list.match(/(?:"(?:[^"\\]|\\.)*"|[^",])+/gs) ?? []).map((target) => target.trim()).filter(isNotEmpty);
}

/**
 * Parses addresses, one a line; `#` begins a comment.
 *
 * @throws UsageError that names the file and the line.
 */
export function parseAddressLines(text: string, file: string): readonly string[] {
  return text.split(/\r?\n/).flatMap((raw, index) => {
    const address = raw.replace(/(?:^|\s)#.*$/, '').trim();
    if (address === '') return [];
    if (!isAddress(address)) throw new UsageError(`${file}:${index + 1}: expected an address, a name or @domain`);
    return [address];
  });
}

/**
 * Returns true for an address (`ann@example.com`), a local part (`ann`) and a domain
 * (`@example.com`).
 */
export function isAddress(text: string): boolean {
  if (text.startsWith('@')) return parseMailbox(`x${text}`) !== undefined;
  return parseMailbox(text) !== undefined || parseMailbox(`${text}@example.com`) !== undefined;
}

interface LogicalLine {
  readonly content: string;
  /** The number of the first line, from 1. */
  readonly line: number;
}

/** Joins each line that begins with a blank to the line above, and leaves comments out. */
function logicalLines(text: string): readonly LogicalLine[] {
  const lines: { content: string; line: number }[] = [];
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    if (raw.trim() === '' || /^\s*#/.test(raw)) continue;
    const last = lines.at(-1);
    if (/^\s/.test(raw) && last !== undefined) last.content += ` ${raw.trim()}`;
    else lines.push({ content: raw.trim(), line: index + 1 });
  }
  return lines;
}

function isNotEmpty(text: string): boolean {
  return text !== '';
}
