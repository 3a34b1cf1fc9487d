import { appendFileSync } from 'node:fs';
import fc from 'fast-check';

/** The factor by which `npm run fuzz` multiplies the runs of each property. */
const FACTOR = Number(process.env['FUZZ'] ?? 1);

/** The file to which each property appends its number of runs, for `npm run fuzz`. */
const COUNTS = process.env['FUZZ_COUNTS'];

/** Returns the number of runs of a property: `count`, or more under `npm run fuzz`. */
export function runs(count: number): number {
  return count * FACTOR;
}

// `numRuns` holds for properties without a number of their own. A test run has a fixed seed, so
// that only a change of the code makes it fail. `npm run fuzz` has a new seed each time.
fc.configureGlobal({
  ...fc.readConfigureGlobal(),
  numRuns: runs(100),
  ...(FACTOR === 1 && { seed: 1 }),
  ...(COUNTS !== undefined && { reporter: count }),
});

/** Appends a property's number of runs to the file, then throws if the property failed. */
function count(details: fc.RunDetails<unknown>): void {
  appendFileSync(COUNTS as string, `${details.numRuns}\n`);
  const message = fc.defaultReportMessage(details);
  if (message !== undefined) throw new Error(message, { cause: details.errorInstance });
}
