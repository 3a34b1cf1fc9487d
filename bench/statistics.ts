/** The smallest, the middle and the largest of some numbers. */
export interface Spread {
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

export function spread(numbers: readonly number[]): Spread {
  const sorted = numbers.toSorted((a, b) => a - b);
  const at = (place: number): number => sorted[place] ?? Number.NaN;
  const middle = (sorted.length - 1) / 2;
  return { min: at(0), median: (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2, max: at(sorted.length - 1) };
}

/**
 * Divides number by number, and leaves out the places where one is missing. Numbers of one round
 * share a place, so that a slow moment of the machine is in both.
 */
export function ratios(numbers: readonly (number | undefined)[], to: readonly (number | undefined)[]): number[] {
  return numbers.flatMap((number, place) => {
    const other = to[place];
    return number === undefined || other === undefined ? [] : [number / other];
  });
}

/** Formats a ratio as `1.38 (1.31–1.44)`: the median, then the extremes. */
export function ratio(spread: Spread): string {
  return formatSpread(spread, 2);
}

/** Formats the median, then the extremes, with this number of decimals; `–` without numbers. */
export function formatSpread({ min, median, max }: Spread, decimals: number): string {
  if (Number.isNaN(median)) return '–';
  return `${median.toFixed(decimals)} (${min.toFixed(decimals)}–${max.toFixed(decimals)})`;
}

/** `✓ 0.70`: whether the median reaches the ratio that is asked for. */
export function verdict({ median }: Spread, asked: number | undefined): string {
  return asked === undefined ? '–' : `${median >= asked ? '✓' : '✗'} ${asked.toFixed(2)}`;
}

/** `✓ ≤ 0.62`: whether the median stays below the figure that is asked for. */
export function verdictAtMost({ median }: Spread, asked: number | undefined, decimals = 2): string {
  return asked === undefined ? '–' : `${median <= asked ? '✓' : '✗'} ≤ ${asked.toFixed(decimals)}`;
}
