import type { MaybePromise } from '@postern/cred';

/** One parser under test. */
export interface Target {
  readonly name: string;
  /** Valid messages, from which mutation begins. A character is an octet. */
  readonly seeds: readonly string[];
  /** Words of the grammar, which mutation inserts. A character is an octet. */
  readonly tokens: readonly string[];
  /** The longest input in octets. Default: 200. */
  readonly maxOctets?: number;
  /**
   * The longest input in octets that the parser gets from its caller, for the check of linear work.
   * Default: 65,536.
   */
  readonly maxPumped?: number;
  /**
   * Runs the parser on one input and checks its invariants. Everything that varies between two runs
   * follows from the octets. Returns a short signature of the outcome: an input with a new one
   * stays in the corpus.
   *
   * @throws {Error} An invariant does not hold, or the parser throws an error that it does not
   * declare.
   */
  readonly run: (input: Buffer) => MaybePromise<string>;
  /** Runs the parser and nothing else, for the check of linear work. */
  readonly parse: (input: Buffer) => unknown;
}

/** An invariant does not hold. */
export class Violation extends Error {
  override get name(): string {
    return 'Violation';
  }
}

/** @throws {Violation} The condition is false. */
export function holds(condition: boolean, invariant: string): asserts condition {
  if (!condition) throw new Violation(invariant);
}

/**
 * @throws {Violation} The values differ. Objects differ if one of their properties does, or what
 * JSON says of it.
 */
export function same(actual: unknown, expected: unknown, invariant: string): void {
  if (actual === expected || (isObject(actual) && isObject(expected) && haveSameProperties(actual, expected))) return;
  const [left, right] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (left !== right) throw new Violation(`${invariant}: ${left} is not ${right}`);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function haveSameProperties(
  some: Readonly<Record<string, unknown>>,
  others: Readonly<Record<string, unknown>>,
): boolean {
  const keys = Object.keys(some);
  return keys.length === Object.keys(others).length && keys.every((key) => some[key] === others[key]);
}
