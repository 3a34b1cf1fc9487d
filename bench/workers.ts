import type { EsmtpOptions } from './esmtp-options.ts';
import { LoadGenerator } from './load.ts';
import { PosternCommand } from './postern-command.ts';
import { allowedCores } from './processes.ts';
import { progress } from './progress.ts';
import { ROOT } from './revision.ts';
import type { Setting } from './servers.ts';
import type { Window } from './window.ts';
import { formatWorkers, type WorkersSample, workersSample } from './workers-report.ts';
import { type Work, works } from './works.ts';

/**
 * Work h: `postern serve` with two workers beside one. On a machine with three cores, the load
 * generator has one and each worker has one, and the rate by the clock counts. On a machine with
 * two cores the load generator takes its share. There the rate counts that the workers could have
 * with a core each. Resolves to no warning.
 */
export async function benchWorkers(
  { rounds, quick, warmUp, measure }: EsmtpOptions,
  setting: Setting,
): Promise<string[]> {
  const cores = serverCores(setting);
  using load = new LoadGenerator(cores && setting.cores?.load, setting.certificate.cert);
  console.log(`\n${cores === undefined ? SHARED : `h: the workers run on the cores ${cores.join()}`}`);
  for (const work of works.filter(({ id }) => WORKS.includes(id))) {
    const samples: Readonly<Record<1 | 2, WorkersSample[]>> = { 1: [], 2: [] };
    const count = quick ? 1 : rounds;
    for (let round = 0; round < count; round++) {
      for (const workers of [1, 2] as const) {
        const sample = await measureWorkers(workers, work, setting, load, cores, [warmUp, measure]);
        samples[workers].push(sample);
        progress(`h ${work.id} ${round + 1}/${count} ${workers}: ${Math.round(sample.rate)}/s`);
      }
    }
    console.log(`\n${formatWorkers(work, samples, cores === undefined)}`);
  }
  return [];
}

async function measureWorkers(
  workers: number,
  work: Work,
  { certificate }: Setting,
  load: LoadGenerator,
  cores: readonly number[] | undefined,
  [warmUp, length]: readonly [number, number],
): Promise<WorkersSample> {
  await using server = await PosternCommand.start({
    root: ROOT,
    cores: cores?.slice(0, workers).join(),
    certificate: work.tls && certificate,
    workers,
  });
  // Each worker warms up as long as the one does.
  const { windows } = await load.run(work, server, [{ after: workers * warmUp, length: workers * length }]);
  return workersSample(work.unit, windows[0] as Window, workers);
}

/** Returns two cores beside the load generator's, or undefined if the machine has fewer. */
function serverCores({ cores }: Setting): readonly number[] | undefined {
  const others = allowedCores().filter((core) => core !== cores?.load);
  return cores !== undefined && others.length >= 2 ? others.slice(-2) : undefined;
}

/** The works with many short connections, which the workers share out. */
const WORKS: readonly string[] = ['a', 'f1', 't1'];

const SHARED =
  'h: two workers and the load generator share two cores here, so that the rate by the clock is that of all three. ' +
  'The rate with a core each is computed: operations by the processor time of the busiest worker.';
