import type { Address } from '@postern/core';
import { type EntryWriter, formatAddress, type LogLevel } from '@postern/esmtp';
import { charactersOf } from './character-set.ts';
import { copyAddress } from './copy-address.ts';
import { escapeControls } from './json-line.ts';
import type { LogBuffer } from './log-buffer.ts';

/** Writes entries as objects of JSON, one a line, as pino does. */
export class JsonEntries implements EntryWriter {
  readonly #lines: LogBuffer;
  #message = '';

  constructor(lines: LogBuffer) {
    this.#lines = lines;
  }

  begin(level: LogLevel, message: string): void {
    this.#message = message;
    this.#lines.beginLine();
    this.#lines.ascii(JSON_LEVELS[level]);
    this.#lines.time(Date.now());
    this.#lines.ascii('"');
  }

  text(name: string, text: string | undefined): void {
    if (text === undefined) return;
    const start = this.#name(name);
    this.#lines.ascii('"');
    if (this.#lines.copy(text, PLAIN_IN_JSON)) this.#lines.ascii('"');
    else this.#rewrite(start, text);
  }

  texts(name: string, texts: readonly string[]): void {
    this.value(name, texts);
  }

  number(name: string, number: number): void {
    this.#name(name);
    this.#lines.number(number);
  }

  address(name: string, address: Address): void {
    const start = this.#name(name);
    this.#lines.ascii('"');
    if (copyAddress(this.#lines, address)) this.#lines.ascii('"');
    else this.#rewrite(start, formatAddress(address));
  }

  value(name: string, value: unknown): void {
    if (value !== undefined) this.#rewrite(this.#name(name), value);
  }

  end(): void {
    this.#lines.ascii(',"msg":"');
    this.#lines.ascii(this.#message);
    this.#lines.ascii('"}');
    this.#lines.endLine();
  }

  /** Writes `,"name":`, and returns the position behind it. */
  #name(name: string): number {
    this.#lines.ascii(',"');
    this.#lines.ascii(name);
    this.#lines.ascii('":');
    return this.#lines.position;
  }

  #rewrite(start: number, value: unknown): void {
    this.#lines.rewind(start);
    this.#lines.utf8(escapeControls(JSON.stringify(value)));
  }
}

const JSON_LEVELS = {
  info: '{"level":"info","time":"',
  warn: '{"level":"warn","time":"',
  error: '{"level":"error","time":"',
} as const;
const PLAIN_IN_JSON = charactersOf(/[ !#-[\]-~]/);
