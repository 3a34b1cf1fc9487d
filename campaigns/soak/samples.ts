import { readdir, readFile, readlink } from 'node:fs/promises';

/** What a process holds at one time. */
export interface Sample {
  /** Resident memory, in MiB. */
  readonly rss: number;
  /** Resident memory of its own, which no file backs, in MiB. */
  readonly anonymous: number;
  readonly descriptors: number;
}

/** Reads what a process holds. Rejects if the process is gone. */
export async function sample(pid: number): Promise<Sample> {
  const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8');
  const mebibytes = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(rollup)?.[1]) / 1_024;
  return { rss: mebibytes('Rss'), anonymous: mebibytes('Anonymous'), descriptors: await countDescriptors(pid) };
}

/** Resolves to the number of descriptors that a process has open. */
export async function countDescriptors(pid: number): Promise<number> {
  return (await readdir(`/proc/${pid}/fd`)).length;
}

/** Resolves to what the descriptors of a process are, each kind with its number. */
export async function kindsOfDescriptors(pid: number): Promise<string> {
  const counts = new Map<string, number>();
  for (const name of await readdir(`/proc/${pid}/fd`)) {
    const target = await readlink(`/proc/${pid}/fd/${name}`).catch(() => 'gone');
    const kind = target.replace(/:?\[.*$/, '');
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return [...counts].map(([kind, count]) => `${count} ${kind}`).join(', ');
}

/**
 * How much more the last third may hold than the second: a factor, and an amount for what varies
 * anyway.
 */
export interface GrowthBound {
  readonly factor: number;
  readonly mebibytes: number;
  readonly descriptors: number;
}

/** Returns what has grown from the second third of the samples to the last beyond the bound. */
export function growth(samples: readonly Sample[], bound: GrowthBound): string[] {
  const third = Math.floor(samples.length / 3);
  const [second, last] = [samples.slice(third, 2 * third), samples.slice(2 * third)];
  const grown: string[] = [];
  for (const [key, slack] of [
    ['rss', bound.mebibytes],
    ['descriptors', bound.descriptors],
  ] as const) {
    const [before, after] = [median(second, key), median(last, key)];
    if (after > before * bound.factor + slack) grown.push(`${key} from ${before.toFixed(0)} to ${after.toFixed(0)}`);
  }
  return grown;
}

function median(samples: readonly Sample[], key: keyof Sample): number {
  const sorted = samples.map((one) => one[key]).toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
