import type { ContractCase } from '@postern/testing';
import { expect, it } from 'vitest';

/** Runs the rules of a contract, and expects these rules and no others to be skipped. */
export function testContract(cases: readonly ContractCase[], skippedRules: readonly string[] = []): void {
  for (const { name, run, skipped } of cases) if (skipped === undefined) it(name, run);
  it(`skips ${skippedRules.length} rules of the contract`, async () => {
    const skipped = cases.filter((rule) => rule.skipped !== undefined);
    expect(skipped.map(({ name }) => name)).toEqual(skippedRules);
    for (const { run, skipped: reason } of skipped) await expect(run()).rejects.toThrow(reason as string);
  });
}
