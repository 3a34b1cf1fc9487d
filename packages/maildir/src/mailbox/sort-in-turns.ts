import type { Turns } from './turns.ts';

/**
 * Sorts in turns of a few milliseconds: `sort` alone would hold the event loop for 200 ms with
 * 100,000 names. Stable. Resolves to a new array.
 */
export async function sortInTurns<T>(
  items: readonly T[],
  compare: (one: T, other: T) => number,
  turns: Turns,
): Promise<T[]> {
  let from = await sortRuns(items, compare, turns);
  let to: T[] = [];
  for (let run = RUN_ITEMS; run < from.length; run *= 2) {
    to.length = 0;
    for (let start = 0; start < from.length; start += 2 * run) {
      const middle = Math.min(start + run, from.length);
      const end = Math.min(start + 2 * run, from.length);
      for (let [left, right] = [start, middle]; left < middle || right < end; ) {
        const takesLeft = right === end || (left < middle && compare(from[left] as T, from[right] as T) <= 0);
        to.push(from[takesLeft ? left++ : right++] as T);
        if (to.length % ITEMS_PER_CLOCK_READ === 0 && turns.isOver) await turns.next();
      }
    }
    [from, to] = [to, from];
  }
  return from;
}

async function sortRuns<T>(items: readonly T[], compare: (one: T, other: T) => number, turns: Turns): Promise<T[]> {
  const sorted: T[] = [];
  for (let start = 0; start < items.length; start += RUN_ITEMS) {
    sorted.push(...items.slice(start, start + RUN_ITEMS).sort(compare));
    if (turns.isOver) await turns.next();
  }
  return sorted;
}

const RUN_ITEMS = 1_024;
const ITEMS_PER_CLOCK_READ = 256;
