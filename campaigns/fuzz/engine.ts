import { Coverage } from './coverage.ts';
import { minimise } from './minimise.ts';
import { Mutation } from './mutation.ts';
import { pump } from './pump.ts';
import { Random } from './random.ts';
import type { Target } from './target.ts';

/** What a campaign on one parser did. */
export interface FuzzReport {
  readonly inputs: number;
  /** How many inputs showed something new, the seeds included. */
  readonly corpus: number;
  /** How many outcomes of different kinds there were. */
  readonly signatures: number;
  /** How many blocks of the packages' source ran. */
  readonly blocks: number;
  readonly seconds: number;
}

/** An input for which an invariant does not hold, as short as it gets. */
export class FuzzFailure extends Error {
  readonly input: Buffer;

  constructor(input: Buffer, cause: unknown) {
    super(cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause), { cause });
    this.input = input;
  }
}

/**
 * Runs a parser on this many inputs: its seeds, then mutants of what has shown something new.
 *
 * @throws {FuzzFailure} An invariant does not hold.
 */
export async function fuzz(target: Target, inputs: number, seed: number): Promise<FuzzReport> {
  const start = performance.now();
  const random = new Random(seed);
  const campaign = new Campaign(target, random);
  const pumps = Math.min(PUMPS, Math.floor(inputs / 100));
  await campaign.explore(Math.min(EXPLORED, Math.floor(inputs / 20)));
  while (campaign.inputs < inputs - pumps) await campaign.run(campaign.next());
  await pump(target, campaign.corpus, random, pumps);
  return {
    inputs: campaign.inputs + pumps,
    corpus: campaign.corpus.length,
    signatures: campaign.signatures,
    blocks: campaign.blocks,
    seconds: (performance.now() - start) / 1_000,
  };
}

class Campaign {
  inputs = 0;
  blocks = 0;
  readonly corpus: Buffer[];
  readonly #target: Target;
  readonly #mutation: Mutation;
  readonly #signatures = new Set<string>();

  constructor(target: Target, random: Random) {
    this.#target = target;
    this.corpus = target.seeds.map((seed) => Buffer.from(seed, 'latin1'));
    this.#mutation = new Mutation(random, target.tokens, target.maxOctets ?? 200);
  }

  get signatures(): number {
    return this.#signatures.size;
  }

  next(): Buffer {
    return this.#mutation.next(this.corpus);
  }

  /** Runs the parser once, and keeps the input if its outcome is of a new kind. */
  async run(input: Buffer): Promise<void> {
    this.inputs++;
    const signature = await this.#run(input);
    if (this.#signatures.size < MAX_CORPUS && !this.#signatures.has(signature)) {
      this.#signatures.add(signature);
      this.corpus.push(input);
    }
  }

  /**
   * Runs the seeds and some mutants, and keeps what makes a block of the source run for the first
   * time.
   */
  async explore(count: number): Promise<void> {
    for (const seed of this.corpus.slice()) await this.run(seed);
    const coverage = new Coverage();
    const known = new Set<string>();
    try {
      while (this.inputs < count) {
        const batch = Array.from({ length: BATCH }, () => this.next());
        for (const input of batch) await this.run(input);
        const fresh = difference(coverage.take(), known);
        if (fresh.size === 0) continue;
        // Which input it was, a second run of each shows.
        for (const input of batch) {
          await this.#run(input);
          const own = difference(coverage.take(), known);
          if (own.size === 0) continue;
          for (const block of own) known.add(block);
          this.corpus.push(input);
        }
        for (const block of fresh) known.add(block);
      }
    } finally {
      coverage.stop();
    }
    this.blocks = known.size;
  }

  /** Gives the parser a copy, which it may write into. */
  #run(input: Buffer): string | Promise<string> {
    const failed = async (error: unknown): Promise<never> => {
      const fails = async (shorter: Buffer): Promise<boolean> => (await outcomeOf(this.#target, shorter)) !== undefined;
      const smallest = await minimise(input, fails);
      throw new FuzzFailure(smallest, (await outcomeOf(this.#target, smallest)) ?? error);
    };
    try {
      const outcome = this.#target.run(Buffer.from(input));
      return typeof outcome === 'string' ? outcome : outcome.catch(failed);
    } catch (error) {
      return failed(error);
    }
  }
}

/** Returns what the run throws; undefined if all invariants hold. */
async function outcomeOf(target: Target, input: Buffer): Promise<unknown> {
  try {
    await target.run(Buffer.from(input));
    return undefined;
  } catch (error) {
    return error;
  }
}

function difference(some: ReadonlySet<string>, others: ReadonlySet<string>): Set<string> {
  return new Set([...some].filter((item) => !others.has(item)));
}

/** How many inputs run while blocks are counted. */
const EXPLORED = 20_000;
const BATCH = 200;
const MAX_CORPUS = 5_000;
const PUMPS = 300;
