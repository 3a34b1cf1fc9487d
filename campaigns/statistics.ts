/** Returns the lower nine tenths of the sample: the rest is the machine's own noise. */
export function trimmed(sample: readonly number[]): number[] {
  const sorted = sample.toSorted((a, b) => a - b);
  return sorted.slice(0, Math.ceil(sorted.length * 0.9));
}

/** Returns Welch's t of two samples: how many standard errors lie between their means. */
export function welch(a: readonly number[], b: readonly number[]): number {
  const [left, right] = [moments(a), moments(b)];
  return (left.mean - right.mean) / Math.sqrt(left.variance / a.length + right.variance / b.length);
}

/** Returns the value below which the given share of the sample lies. */
export function quantile(sample: readonly number[], share: number): number {
  const sorted = sample.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

function moments(sample: readonly number[]): { readonly mean: number; readonly variance: number } {
  const mean = sample.reduce((sum, value) => sum + value, 0) / sample.length;
  const variance = sample.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (sample.length - 1);
  return { mean, variance };
}
