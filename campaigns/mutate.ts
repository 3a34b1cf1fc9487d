// npm run mutate -- [--package NAME]… [--only TEXT] [--sample N] [--seed S]
// Changes the source of a package at one place at a time and runs the tests that reach the place.
// A mutant that no test notices survives: either a test is missing, or the change has no effect.
// Prints each survivor and the share of mutants that the tests killed.
import { type ChildProcess, fork } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Random } from './fuzz/random.ts';
import type { Outcome, Request } from './mutate/host.ts';
import { type Mutant, mutationsOf } from './mutate/mutants.ts';

/** The test files that run each scope of a package, the fastest first. */
interface Coverage {
  readonly testsOf: (scope: string) => readonly string[];
  readonly times: Readonly<Record<string, number>>;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      package: {
        type: 'string',
        multiple: true,
        default: DEFAULT_PACKAGES,
      },
      only: { type: 'string', default: '' },
      sample: { type: 'string', default: '100' },
      seed: { type: 'string', default: String(randomInt(2 ** 32)) },
    },
  });
  const [sample, seed] = [Number(values.sample), Number(values.seed)];
  if (!(sample >= 1)) throw new Error(`--sample: expected a number from 1, not ${values.sample}`);
  if (!Number.isInteger(seed)) throw new Error(`--seed: expected an integer, not ${values.seed}`);
  for (const name of values.package) {
    if (!existsSync(`packages/${name}`) || !testsOf(name).every((folder) => existsSync(folder)))
      throw new Error(`--package: expected a folder of packages/ with tests, not ${name}`);
  }
  console.log(`seed ${seed}`);
  for (const name of values.package) await mutatePackage(name, values.only, sample, new Random(seed));
}

async function mutatePackage(name: string, only: string, sample: number, random: Random): Promise<void> {
  const sources = `packages/${name}/src/`;
  const files = globSync(`${sources}**/*.ts`).filter((file) => file.includes(only));
  const all = files.flatMap((file) => mutationsOf(file, readFileSync(file, 'utf8')).mutants);
  const chosen = choose(all, sample, random);
  using host = new Host();
  const coverage = await coverageOf(host, name, sources);
  const counts = { killed: 0, timedOut: 0, survived: 0, unreached: 0 };
  for (const mutant of chosen) {
    const tests = coverage.testsOf(mutant.scope);
    if (tests.length === 0) {
      counts.unreached++;
      console.log(`no test runs ${describe(mutant)}`);
      continue;
    }
    const expected = tests.reduce((sum, test) => sum + (coverage.times[test] ?? 0), 0);
    const outcome = await host.run({ tests, mutant }, STARTUP_MS + 3 * expected);
    if (outcome === undefined) counts.timedOut++;
    else if (outcome.failed.length > 0) counts.killed++;
    else {
      counts.survived++;
      console.log(`survived     ${describe(mutant)}`);
    }
  }
  const noticed = counts.killed + counts.timedOut;
  console.log(
    `${name}: ${chosen.length} of ${all.length} mutants, ${noticed} killed (${counts.timedOut} by time), ` +
      `${counts.survived} survived, ${counts.unreached} not run: ${Math.round((100 * noticed) / chosen.length)} %`,
  );
}

/** Runs all tests of the package once, on source that reports which scopes run. */
async function coverageOf(host: Host, name: string, sources: string): Promise<Coverage> {
  const outcome = await host.run({ tests: testsOf(name), sources }, BASELINE_MS);
  if (outcome === undefined) throw new Error(`the tests of ${name} took more than ${BASELINE_MS / 1000} s`);
  const { failed, times } = outcome;
  if (failed.length > 0) throw new Error(`without a mutant these tests fail: ${failed.join(', ')}`);
  const tests = new Map<string, Set<string>>();
  for (const line of readFileSync(host.scopes, 'utf8').trim().split('\n')) {
    const { test, scopes } = JSON.parse(line) as { test: string; scopes: string[] };
    for (const scope of scopes) tests.set(scope, (tests.get(scope) ?? new Set()).add(test));
  }
  return {
    times,
    testsOf: (scope) => [...(tests.get(scope) ?? [])].toSorted((a, b) => (times[a] ?? 0) - (times[b] ?? 0)),
  };
}

/** Returns up to `count` of the mutants, at random, in the order of the source. */
function choose(mutants: readonly Mutant[], count: number, random: Random): readonly Mutant[] {
  const left = mutants.map((_, index) => index);
  const chosen: number[] = [];
  while (chosen.length < count && left.length > 0) chosen.push(...left.splice(random.below(left.length), 1));
  return chosen.toSorted((a, b) => a - b).flatMap((index) => mutants[index] ?? []);
}

function describe({ file, start, end, replacement }: Mutant): string {
  const source = readFileSync(file, 'utf8');
  const lines = source.slice(0, start).split('\n');
  const before = source.slice(start, end).replace(/\s+/g, ' ');
  return `${file}:${lines.length}:${(lines.at(-1)?.length ?? 0) + 1} ${before.slice(0, 60)} -> ${replacement.slice(0, 60)}`;
}

/** The process that runs tests. A mutant can keep it busy forever: `run` then ends it. */
class Host {
  readonly #folder = mkdtempSync(join(tmpdir(), 'postern-mutate-'));
  readonly scopes = join(this.#folder, 'scopes.jsonl');
  #child: ChildProcess | undefined;

  /** Resolves with the outcome, or with undefined after `milliseconds` without one. */
  async run(request: Request, milliseconds: number): Promise<Outcome | undefined> {
    const child = this.#child ?? (await this.#start());
    child.send(request);
    const done = new AbortController();
    const { signal } = done;
    const outcome = await Promise.race([
      once(child, 'message', { signal }).then(([message]) => message as Outcome),
      once(child, 'exit', { signal }).then(() => undefined),
      pause(milliseconds, undefined, { signal }),
    ]);
    done.abort();
    if (outcome === undefined) this.#kill();
    return outcome;
  }

  async #start(): Promise<ChildProcess> {
    // Each property has its full number of runs, with the fixed seed.
    const env = { FUZZ: '1', ...process.env, SCOPES: this.scopes };
    const child = fork(fileURLToPath(new URL('mutate/host.ts', import.meta.url)), { env, stdio: 'ignore' });
    this.#child = child;
    await once(child, 'message');
    return child;
  }

  [Symbol.dispose](): void {
    this.#kill();
    rmSync(this.#folder, { recursive: true });
  }

  #kill(): void {
    this.#child?.kill('SIGKILL');
    this.#child = undefined;
  }
}

/** Returns the folders of the tests that run the package's source directly. */
function testsOf(name: string): readonly string[] {
  return [name, ...(USERS_OF[name] ?? [])].map((folder) => `test/${folder}/`);
}

/** Packages whose tests cover parts of another package better than its own tests do. */
const USERS_OF: Readonly<Record<string, readonly string[]>> = {
  core: ['cred', 'conversation'],
  cred: ['throttle'],
  'sasl-profile': ['esmtp/session'],
};
const DEFAULT_PACKAGES = ['core', 'cred', 'throttle', 'sasl', 'sasl-profile', 'conversation'];
/** A mutant's tests may take this long beyond three times what they took before. */
const STARTUP_MS = 15_000;
const BASELINE_MS = 600_000;

await main();
