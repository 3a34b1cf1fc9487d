// A process with one Vitest that stays: runs the tests of a package on instrumented source, then on
// mutants. The files on the disk stay as they are. Vite loads the changed source instead.
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { BaseSequencer, type CliOptions, createVitest, type TestSpecification, type Vitest } from 'vitest/node';
import { type Mutant, mutated, mutationsOf } from './mutants.ts';

/** A run of test files, on a mutant or on the instrumented source of a package. */
export type Request =
  | { readonly tests: readonly string[]; readonly mutant: Mutant }
  | { readonly tests: readonly string[]; readonly sources: string };

/** The outcome of a request. */
export interface Outcome {
  /** The test files that failed; all others, up to the first failure, passed. */
  readonly failed: readonly string[];
  /** The time that each test file took, in milliseconds. */
  readonly times: Readonly<Record<string, number>>;
}

const ROOT = process.cwd();
let request: Request | undefined;
/** The files whose changed source Vite has loaded, and which it must load again. */
const loaded = new Set<string>();

async function main(): Promise<void> {
  process.once('disconnect', () => process.exit());
  const vitest = await createVitest('test', OPTIONS, {
    ssr: { resolve: { conditions: ['postern-source'] } },
    plugins: [{ name: 'mutate', enforce: 'pre', load: (id) => changed(relative(ROOT, id.split('?')[0] ?? '')) }],
  });
  await vitest.standalone();
  process.on('message', (message) => void run(vitest, message as Request));
  process.send?.('ready');
}

async function run(vitest: Vitest, next: Request): Promise<void> {
  request = next;
  if ('mutant' in next) loaded.add(next.mutant.file);
  for (const file of loaded) vitest.invalidateFile(`${ROOT}/${file}`);
  loaded.clear();
  const specifications = await vitest.globTestSpecifications([...next.tests]);
  const order = ({ moduleId }: TestSpecification): number => next.tests.indexOf(relative(ROOT, moduleId));
  const sorted = specifications.toSorted((a, b) => order(a) - order(b));
  const { testModules, unhandledErrors } = await vitest.runTestSpecifications(sorted);
  const ran = testModules
    .filter(({ moduleId }) => sorted.some((specification) => specification.moduleId === moduleId))
    .map((module) => ({ file: relative(ROOT, module.moduleId), state: module.state(), ...module.diagnostic() }));
  process.send?.({
    failed: [
      ...ran.filter(({ state }) => state === 'failed').map(({ file }) => file),
      ...unhandledErrors.map((error) => String(error)),
    ],
    times: Object.fromEntries(ran.map(({ file, duration }) => [file, duration])),
  } satisfies Outcome);
}

/** Returns the source that Vite loads in place of the file's; undefined for a file that stays. */
function changed(file: string): string | undefined {
  if (request === undefined) return undefined;
  const isChanged = 'mutant' in request ? file === request.mutant.file : file.startsWith(request.sources);
  if (!isChanged) return undefined;
  loaded.add(file);
  const source = readFileSync(file, 'utf8');
  return 'mutant' in request ? mutated(source, request.mutant) : mutationsOf(file, source).instrumented;
}

class InOrder extends BaseSequencer {
  override sort(specifications: TestSpecification[]): Promise<TestSpecification[]> {
    return Promise.resolve(specifications);
  }
}

const OPTIONS: CliOptions = {
  // The projects of the config file would load the source without the plugin above.
  config: false,
  include: ['test/**/*.test.ts'],
  watch: false,
  bail: 1,
  pool: 'threads',
  maxWorkers: 1,
  fileParallelism: false,
  sequence: { sequencer: InOrder },
  reporters: [],
  // The cache knows a module by its file, which no mutant changes.
  fsModuleCache: false,
  // The parent ends a run that takes too long.
  testTimeout: 120_000,
  hookTimeout: 120_000,
  expect: { poll: { timeout: 60_000 } },
  setupFiles: ['test/support/fuzz.ts', 'campaigns/mutate/report-scopes.ts'],
};

await main();
