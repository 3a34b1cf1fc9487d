/** One rule of a contract: `run` rejects if it is broken. With any test runner: `for (const { name, run } of cases) it(name, run)`. */
export interface ContractCase {
  /** A sentence. */
  readonly name: string;
  readonly run: () => Promise<void>;
}
