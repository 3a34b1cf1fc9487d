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
 * The highest number of runs of a property in `npm test`. The inputs are always the same, so that
 * more of them find hardly more. CI sets `FUZZ=1` under one line of Node, for the full number.
 */
const MAX_TEST_RUNS = 50;

/**
 * Returns the number of runs of a property: `count`, or a multiple where `FUZZ` is set. In `npm
 * test` at most {@link MAX_TEST_RUNS}, or `least` for a property that must have seen rare cases.
 */
export function runs(count: number, least = 0): number {
  return FACTOR === undefined ? Math.min(count, Math.max(MAX_TEST_RUNS, least)) : count * FACTOR;
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
