import { formatSpread, ratio, ratios, spread, verdict } from './statistics.ts';
import { table } from './table.ts';
import { operationsOf, type Window } from './window.ts';
import type { Work } from './works.ts';

/** What one or several workers showed in a window. */
export interface WorkersSample {
  /** Operations in a second by the clock. */
  readonly rate: number;
  /** Microseconds of processor time per operation, of all processes. */
  readonly cost: number;
  /** The share of the work that the busiest worker did, 1 for one worker. */
  readonly busiest: number;
  /** The operations in a second that the workers could do with a core each. */
  readonly capacity: number;
}

/** Formats the table of one work. `isShared` says which of the two ratios is judged. */
export function formatWorkers(
  { id, title, unit }: Pick<Work, 'id' | 'title' | 'unit'>,
  samples: Readonly<Record<1 | 2, readonly WorkersSample[]>>,
  isShared: boolean,
): string {
  const rows = ([1, 2] as const).map((workers) => {
    const column = (value: keyof WorkersSample): number[] => samples[workers].map((sample) => sample[value]);
    const timesOne = (value: keyof WorkersSample): string[] => {
      const times = spread(
        ratios(
          column(value),
          samples[1].map((sample) => sample[value]),
        ),
      );
      const isJudged = workers === 2 && isShared === (value === 'capacity');
      return workers === 1 ? ['–', '–'] : [ratio(times), verdict(times, isJudged ? ASKED : undefined)];
    };
    return [
      `   --workers ${workers}`,
      formatSpread(spread(column('rate')), 0),
      ...timesOne('rate'),
      formatSpread(spread(column('cost')), 1),
      `${Math.round(100 * spread(column('busiest')).median)} %`,
      formatSpread(spread(column('capacity')), 0),
      ...timesOne('capacity'),
    ];
  });
  const header = [
    `h ${id} ${title}`,
    `${unit}s/s by the clock`,
    'times one',
    'asked',
    `CPU µs/${unit}`,
    'busiest',
    `${unit}s/s with a core each`,
    'times one',
    'asked',
  ];
  return table(header, rows);
}

/**
 * Sums up a window. The processes are the one worker; or the supervisor, then the workers. With a
 * core each, the busiest worker ends last; the supervisor takes its time from the same cores.
 */
export function workersSample(unit: Work['unit'], window: Window, workers: number): WorkersSample {
  const operations = operationsOf(unit, window);
  const all = window.cpu.reduce((sum, seconds) => sum + seconds, 0);
  const ofWorkers = workers === 1 ? window.cpu : window.cpu.slice(1);
  const busiest = Math.max(...ofWorkers);
  return {
    rate: operations / window.seconds,
    cost: (1e6 * all) / operations,
    busiest: busiest / ofWorkers.reduce((sum, seconds) => sum + seconds, 0),
    capacity: operations / Math.max(busiest, all / workers),
  };
}

/** The least ratio of two workers to one. */
const ASKED = 1.8;
