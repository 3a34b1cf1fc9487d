import { appendFileSync } from 'node:fs';
import fc from 'fast-check';

/** How many times as often `npm run fuzz` tries every property. */
const FACTOR = Number(process.env['FUZZ'] ?? 1);

/** The file in which `npm run fuzz` finds how many inputs there were. */
const COUNTS = process.env['FUZZ_COUNTS'];

/** How often a property is tried that is worth so many tries. */
export function runs(count: number): number {
  return count * FACTOR;
}

// The number is for the properties that say none. A test run tries the same each time, so that it fails for what was changed; to look
// further, each time elsewhere, is what `npm run fuzz` is for.
fc.configureGlobal({
  ...fc.readConfigureGlobal(),
  numRuns: runs(100),
  ...(FACTOR === 1 && { seed: 1 }),
  ...(COUNTS !== undefined && { reporter: count }),
});

/** Adds a property's number of runs to the file, then throws if the property failed. */
function count(details: fc.RunDetails<unknown>): void {
  appendFileSync(COUNTS as string, `${details.numRuns}\n`);
  const message = fc.defaultReportMessage(details);
  if (message !== undefined) throw new Error(message, { cause: details.errorInstance });
}
