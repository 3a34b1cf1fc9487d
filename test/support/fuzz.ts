import { appendFileSync } from 'node:fs';
import fc from 'fast-check';

/**
 * The factor by which `npm run fuzz` multiplies the runs of each property. With the factor 1 each
 * property has its full number of runs and the fixed seed.
 */
const FACTOR = process.env['FUZZ'] === undefined ? undefined : Number(process.env['FUZZ']);

/** The file to which each property appends its number of runs, for `npm run fuzz`. */
const COUNTS = process.env['FUZZ_COUNTS'];

/**
 * The highest number of runs of a property in `npm test`. Its inputs are always the same, so that
 * more of them find hardly more.
 */
const MAX_TEST_RUNS = 200;

/**
 * Returns the number of runs of a property: at most 200 in `npm test`, `count` or a multiple where
 * `FUZZ` is set.
 */
export function runs(count: number): number {
  return FACTOR === undefined ? Math.min(count, MAX_TEST_RUNS) : count * FACTOR;
}

// `numRuns` holds for properties without a number of their own. A test run has a fixed seed, so
// that only a change of the code makes it fail. `npm run fuzz` has a new seed each time.
fc.configureGlobal({
  ...fc.readConfigureGlobal(),
  numRuns: runs(100),
  ...((FACTOR ?? 1) === 1 && { seed: 1 }),
  ...(COUNTS !== undefined && { reporter: count }),
});

/** Appends a property's number of runs to the file, then throws if the property failed. */
function count(details: fc.RunDetails<unknown>): void {
  appendFileSync(COUNTS as string, `${details.numRuns}\n`);
  const message = fc.defaultReportMessage(details);
  if (message !== undefined) throw new Error(message, { cause: details.errorInstance });
}
