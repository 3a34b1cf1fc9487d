import type { Random } from './random.ts';
import { type Target, Violation } from './target.ts';

/**
 * Checks that a parser's work grows no faster than its input: repeats parts of the corpus and of
 * the grammar up to the longest input that the parser gets, and measures the processor time.
 *
 * @throws {Violation} An input takes long, and much more than four times as long as a quarter of
 * it.
 */
export async function pump(target: Target, corpus: readonly Buffer[], random: Random, count: number): Promise<void> {
  const { maxPumped = 65_536 } = target;
  for (let done = 0; done < count; done++) {
    const seed = random.pick(corpus);
    const at = random.below(seed.length + 1);
    const unit = unitOf(target, seed, random);
    if (unit.length === 0) continue;
    const [head, tail] = [seed.subarray(0, at), seed.subarray(random.below(2) === 0 ? at : seed.length)];
    const room = Math.max(0, maxPumped - head.length - tail.length);
    const pumped = (octets: number): Buffer => Buffer.concat([head, Buffer.alloc(octets, unit), tail]);
    const milliseconds = await cpuOf(target, pumped(room));
    if (milliseconds < MAX_CPU_MS) continue;
    // Slow, such as where each line is an error, but perhaps linear: a quarter takes a quarter of
    // the time.
    const growth = milliseconds / (await cpuOf(target, pumped(Math.floor(room / 4))));
    if (growth < MAX_GROWTH) continue;
    const parts = [head, unit, tail].map((part) => JSON.stringify(part.toString('latin1')));
    throw new Violation(
      `${room} octets take ${growth.toFixed(1)} times as long as a quarter: ${parts[0]} + ${parts[1]} many times + ${parts[2]}`,
    );
  }
}

/** A token, two of them, or a part of the seed. */
function unitOf({ tokens }: Target, seed: Buffer, random: Random): Buffer {
  const from = random.below(seed.length + 1);
  if (tokens.length === 0 || random.below(2) === 0) return seed.subarray(from, from + 1 + random.below(12));
  const text = random.pick(tokens) + (random.below(2) === 0 ? '' : random.pick(tokens));
  return Buffer.from(text, 'latin1');
}

/**
 * Returns the least processor time of three runs: it does not grow with what else the machine does.
 */
async function cpuOf({ parse }: Target, input: Buffer): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let run = 0; run < 3 && least > MAX_CPU_MS; run++) {
    const copy = Buffer.from(input);
    const before = process.cpuUsage();
    try {
      await parse(copy);
    } catch {
      // Declared errors are checked elsewhere.
    }
    const { user, system } = process.cpuUsage(before);
    least = Math.min(least, (user + system) / 1_000);
  }
  return least;
}

/**
 * Linear work over 64 KiB takes less than ten milliseconds nearly always; quadratic work takes
 * seconds.
 */
const MAX_CPU_MS = 100;
/** Linear work grows four times with four times the input, quadratic work sixteen times. */
const MAX_GROWTH = 9;
