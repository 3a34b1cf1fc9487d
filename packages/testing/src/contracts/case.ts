/**
 * One rule of a contract: `run` rejects if it is broken. With any test runner: `for (const { name, run } of cases) it(name, run)`. A
 * rule that cannot be checked says why in `skipped`, and its `run` rejects.
 */
export interface ContractCase {
  /** A sentence. */
  readonly name: string;
  readonly run: () => Promise<void>;
  /** What is missing to check the rule. Undefined for a rule that is checked. */
  readonly skipped?: string;
}
