import type { LineError } from './input.ts';
import type { LineServer } from './line-loop.ts';

/** Hears one line, and passes it to a promise. */
export class OneLine implements LineServer {
  readonly maxOctets: number;
  readonly interruptible: boolean;
  readonly failed: (error: unknown) => void;
  readonly #resolve: (line: string | undefined) => void;
  #line: string | undefined;

  constructor(
    maxOctets: number,
    interruptible: boolean,
    resolve: (line: string | undefined) => void,
    reject: (error: unknown) => void,
  ) {
    this.maxOctets = maxOctets;
    this.interruptible = interruptible;
    this.#resolve = resolve;
    this.failed = reject;
  }

  heard(line: string | LineError): false {
    this.#line = asLine(line);
    return false;
  }

  ended(): void {
    this.#resolve(this.#line);
  }
}

/**
 * Returns the line.
 *
 * @throws LineTooLong and BareLineEnding, the errors of a line.
 */
export function asLine(line: string | LineError): string {
  if (typeof line === 'string') return line;
  throw line;
}
