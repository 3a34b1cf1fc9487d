import type { Measured, Rounds, Sample } from './sample.ts';
import type { ServerName } from './server-names.ts';
import { formatSpread, ratio, ratios, type Spread, spread, verdict, verdictAtMost } from './statistics.ts';
import { table } from './table.ts';
import type { Work } from './works.ts';

/** A work with what the servers showed at it. */
export interface Result {
  readonly work: Work;
  readonly measured: Measured;
}

/** What the tables of one run share. */
export interface ReportOptions {
  /** The title of each window, in order, such as `after 2 s`. */
  readonly windows: readonly string[];
  /** The commit of `before`. */
  readonly before?: string | undefined;
  /** True if that commit is the one that the works' `asked.baseline` refers to. */
  readonly isBaseline: boolean;
}

/** What {@link costTable} shows: a work of any protocol. */
interface CostResult {
  readonly work: Pick<Work, 'id' | 'title' | 'unit' | 'isSteady'>;
  readonly measured: Measured<string>;
}

/** Formats what each server showed at one work, and why a server failed. */
export function costTable({ work, measured }: CostResult, options: Pick<ReportOptions, 'windows' | 'before'>): string {
  const { id, title, unit } = work;
  const { before } = options;
  const windows = windowsOf(work, options);
  const header = [
    `${id} ${title}`,
    ...windows.flatMap((window) => [`${window}: CPU µs/${unit}`, `${unit === 'MiB' ? unit : `${unit}s`}/s`, 'busy']),
  ];
  const rows = Array.from(measured.rounds, ([name, rounds]) => [
    `   ${label(name, before)}`,
    ...windows.flatMap((_, window) => {
      const samples = samplesOf(rounds, window).filter((sample) => sample !== undefined);
      const median = (value: (sample: Sample) => number): number => spread(samples.map(value)).median;
      if (samples.length === 0) return ['failed', '–', '–'];
      return [
        formatSpread(spread(samples.map(({ cost }) => cost)), 1),
        Math.round(median(({ rate }) => rate)).toLocaleString('en'),
        `${Math.round(100 * median(({ busy }) => busy))} %`,
      ];
    }),
  ]);
  const failures = Array.from(measured.failures, ([name, reason]) => {
    const rounds = measured.rounds.get(name) ?? [];
    const failed = rounds.filter((samples) => samples.length === 0).length;
    return `   FAILED ${label(name, before)} in ${failed} of ${rounds.length} rounds: ${reason}`;
  });
  return [table(header, rows), ...failures].join('\n');
}

/** Formats the ratios of `postern serve` to the other servers, beside the ratios that are asked. */
export function ratioTable(results: readonly Result[], options: ReportOptions): string {
  const { before = 'before', isBaseline } = options;
  const header = ['postern serve', `CPU of ${before}`, 'asked', 'rate of smtp-server', 'asked', 'rate of bare'];
  const rows = results.flatMap(({ work, measured }) =>
    windowsOf(work, options).map((title, window) => {
      const cost = costRatio(measured, window);
      const rate = rateRatio(measured, 'smtp-server', window);
      return [
        `${work.id} ${title}`,
        cost === undefined ? '–' : ratio(cost),
        cost === undefined ? '–' : verdictAtMost(cost, isBaseline ? work.asked.baseline : MAX_COST_RATIO),
        rate === undefined ? '–' : ratio(rate),
        rate === undefined ? '–' : verdict(rate, work.asked.smtpServer).replace(' ', ' ≥ '),
        formatRatio(rateRatio(measured, 'bare', window)),
      ];
    }),
  );
  return table(header, rows);
}

/** Returns a line for each work at which `command` costs more than `before`, by a tenth. */
export function warnings(results: readonly Result[], options: ReportOptions): string[] {
  const { before = 'before' } = options;
  return results.flatMap(({ work, measured }) =>
    windowsOf(work, options).flatMap((title, window) => {
      const cost = costRatio(measured, window);
      return cost === undefined ? [] : warnAbove(`${work.id}, ${title}: CPU time per ${work.unit}`, cost, before);
    }),
  );
}

/** Returns one line if the ratio is more than a tenth above 1; otherwise none. */
export function warnAbove(title: string, cost: Spread, before: string): string[] {
  return cost.median > MAX_COST_RATIO ? [`WARNING ${title} is ${ratio(cost)} of ${before}`] : [];
}

/** Returns the titles of the windows that a work has. */
function windowsOf(
  { isSteady }: Pick<Work, 'isSteady'>,
  { windows }: Pick<ReportOptions, 'windows'>,
): readonly string[] {
  return isSteady ? windows.slice(0, 1) : windows;
}

/** The greatest ratio to another revision that is no reason to warn. */
const MAX_COST_RATIO = 1.1;

/** The CPU time per operation of `command` in that of `before`, round by round. */
function costRatio(measured: Measured, window: number): Spread | undefined {
  return compare(measured, ['command', 'before'], window, ({ cost }) => cost);
}

/** The rate by the clock of `command` in that of another server, round by round. */
function rateRatio(measured: Measured, other: ServerName, window: number): Spread | undefined {
  return compare(measured, ['command', other], window, ({ rate }) => rate);
}

/**
 * Returns the ratios of the first server to the second in one window, round by round; undefined
 * without a round of both.
 */
export function compare<Name extends string>(
  { rounds }: Measured<Name>,
  [name, other]: readonly [Name, Name],
  window: number,
  value: (sample: Sample) => number,
): Spread | undefined {
  const values = (server: Name): (number | undefined)[] =>
    samplesOf(rounds.get(server) ?? [], window).map((sample) => sample && value(sample));
  const all = ratios(values(name), values(other));
  return all.length === 0 ? undefined : spread(all);
}

function samplesOf(rounds: Rounds, window: number): (Sample | undefined)[] {
  return rounds.map((samples) => samples[window]);
}

function formatRatio(spread: Spread | undefined): string {
  return spread === undefined ? '–' : ratio(spread);
}

/** Names the server in a table: with the commit if the server is of another revision. */
export function label(name: string, before: string | undefined): string {
  return name.startsWith('before') ? `${name} (${before})` : name;
}
