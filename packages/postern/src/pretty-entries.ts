import type { Address } from '@postern/core';
import { type EntryWriter, formatAddress, formatLogFields, type LogLevel } from '@postern/esmtp';
import { type CharacterSet, charactersOf } from './character-set.ts';
import { copyAddress } from './copy-address.ts';
import type { LogBuffer } from './log-buffer.ts';

/** Writes entries as lines for people, as {@link formatLogFields} formats their fields. */
export class PrettyEntries implements EntryWriter {
  readonly #lines: LogBuffer;
  readonly #now: () => number;

  /** @param now Returns the time of an entry, in milliseconds since 1970. */
  constructor(lines: LogBuffer, now: () => number) {
    this.#lines = lines;
    this.#now = now;
  }

  begin(level: LogLevel, message: string): void {
    this.#lines.beginLine();
    this.#lines.time(this.#now());
    this.#lines.ascii(PRETTY_LEVELS[level]);
    this.#lines.ascii(message);
  }

  text(name: string, text: string | undefined): void {
    if (text === undefined) return;
    const start = this.#name(name);
    if (!this.#lines.copy(text, PLAIN)) this.#rewrite(start, name, text);
  }

  texts(name: string, texts: readonly string[]): void {
    const start = this.#name(name);
    if (!copyList(this.#lines, texts, PLAIN_IN_LIST)) this.#rewrite(start, name, texts);
  }

  number(name: string, number: number): void {
    this.#name(name);
    this.#lines.number(number);
  }

  address(name: string, address: Address): void {
    const start = this.#name(name);
    if (!copyAddress(this.#lines, address)) this.#rewrite(start, name, formatAddress(address));
  }

  value(name: string, value: unknown): void {
    if (value !== undefined) this.#rewrite(this.#lines.position, name, value);
  }

  end(): void {
    this.#lines.endLine();
  }

  /** Writes ` name=`, and returns the position before. */
  #name(name: string): number {
    const start = this.#lines.position;
    this.#lines.ascii(' ');
    this.#lines.ascii(name);
    this.#lines.ascii('=');
    return start;
  }

  #rewrite(start: number, name: string, value: unknown): void {
    this.#lines.rewind(start);
    this.#lines.utf8(` ${formatLogFields({ [name]: value })}`);
  }
}

/** Appends the texts with commas and returns true; returns false if one needs another form. */
function copyList(lines: LogBuffer, texts: readonly string[], allowed: CharacterSet): boolean {
  for (const [index, text] of texts.entries()) {
    if (index > 0) lines.ascii(',');
    if (!lines.copy(text, allowed)) return false;
  }
  return texts.length > 0;
}

const PRETTY_LEVELS = { info: ' info  ', warn: ' warn  ', error: ' error ' } as const;
/** The characters that {@link formatLogFields} writes as they are. */
const PLAIN = charactersOf(/[!#-<>-~]/);
const PLAIN_IN_LIST = charactersOf(/[!#-+\--<>-~]/);
