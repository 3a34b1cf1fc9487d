import fc from 'fast-check';

/** How many times as often `npm run fuzz` tries every property. */
const FACTOR = Number(process.env['FUZZ'] ?? 1);

/** How often a property is tried that is worth so many tries. */
export function runs(count: number): number {
  return count * FACTOR;
}

// For the properties that say no number.
fc.configureGlobal({ ...fc.readConfigureGlobal(), numRuns: runs(100) });
