import fc from 'fast-check';

/** How many times as often `npm run fuzz` tries every property. */
const FACTOR = Number(process.env['FUZZ'] ?? 1);

/** How often a property is tried that is worth so many tries. */
export function runs(count: number): number {
  return count * FACTOR;
}

// The number is for the properties that say none. A test run tries the same each time, so that it fails for what was changed; to look
// further, each time elsewhere, is what `npm run fuzz` is for.
fc.configureGlobal({ ...fc.readConfigureGlobal(), numRuns: runs(100), ...(FACTOR === 1 && { seed: 1 }) });
