import type { Address } from '@postern/core';
import type { LogFields } from './format-log-fields.ts';

/** The level of a log entry. */
export type LogLevel = 'info' | 'warn' | 'error';

/**
 * Writes log entries field by field: `begin`, the fields in their order, `end`. An entry needs no
 * object. A call of `begin` discards an entry without its `end`. Messages and names are printable
 * ASCII without quotes and backslashes. Values may be texts of a client: the writer checks them.
 */
export interface EntryWriter {
  begin(level: LogLevel, message: string): void;
  /** Writes a field, unless the text is undefined. */
  text(name: string, text: string | undefined): void;
  texts(name: string, texts: readonly string[]): void;
  number(name: string, number: number): void;
  /** Writes an address in the form of `formatAddress`. */
  address(name: string, address: Address): void;
  /** Writes a value that JSON can hold, unless the value is undefined. */
  value(name: string, value: unknown): void;
  end(): void;
}

/** Collects the fields of each entry in an object for one call of `write`. */
export class FieldCollector implements EntryWriter {
  readonly #write: (level: LogLevel, fields: LogFields, message: string) => void;
  #level: LogLevel = 'info';
  #message = '';
  #fields: Record<string, unknown> = {};

  constructor(write: (level: LogLevel, fields: LogFields, message: string) => void) {
    this.#write = write;
  }

  begin(level: LogLevel, message: string): void {
    this.#level = level;
    this.#message = message;
    this.#fields = {};
  }

  text(name: string, text: string | undefined): void {
    this.value(name, text);
  }

  texts(name: string, texts: readonly string[]): void {
    this.value(name, texts);
  }

  number(name: string, number: number): void {
    this.value(name, number);
  }

  address(name: string, address: Address): void {
    this.value(name, formatAddress(address));
  }

  value(name: string, value: unknown): void {
    if (value !== undefined) this.#fields[name] = value;
  }

  end(): void {
    this.#write(this.#level, this.#fields, this.#message);
  }
}

/** Formats an address for a log: `192.0.2.1:25`, `[::1]:25`, or `unix`. */
export function formatAddress({ family, address, port }: Address): string {
  if (family === 'unix') return 'unix';
  return family === 'IPv6' ? `[${address}]:${port}` : `${address}:${port}`;
}
