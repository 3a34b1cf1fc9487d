/**
 * One rule of a contract, for any test runner. `run` rejects if the rule is broken. A rule whose
 * input is missing has a reason in `skipped`, and its `run` rejects: it never passes.
 *
 * @example
 * ```ts
 * import type { ContractCase } from '@postern/testing';
 * import { it } from 'vitest';
 *
 * declare const cases: readonly ContractCase[];
 * for (const { name, run, skipped } of cases) it.skipIf(skipped !== undefined)(name, run);
 * ```
 */
export interface ContractCase {
  /** The rule as a sentence without its subject: `refuses a wrong password`. */
  readonly name: string;
  readonly run: () => Promise<void>;
  /** The missing input. Undefined for a rule that runs. */
  readonly skipped?: string;
}

/** Returns a rule that is skipped for this reason. */
export function skippedCase(name: string, skipped: string): ContractCase {
  return { name, skipped, run: () => Promise.reject(new Error(skipped)) };
}
