import { writeCertificate } from './certificate.ts';
import { type EsmtpOptions, readEsmtpOptions } from './esmtp-options.ts';
import { LoadGenerator } from './load.ts';
import { describeRun } from './machine.ts';
import { measureWork, type Schedule } from './measure.ts';
import { benchMemory } from './memory.ts';
import type { RunningServer } from './processes.ts';
import { failOn, progress } from './progress.ts';
import { costTable, type ReportOptions, type Result, ratioTable, warnings } from './report.ts';
import { buildRevision, type Revision, resolveRevision } from './revision.ts';
import type { ServerName } from './server-names.ts';
import { type Setting, startServer } from './servers.ts';
import { benchStartUp } from './start-up.ts';
import { TemporaryFolder } from './temporary-folder.ts';
import { benchWorkers } from './workers.ts';
import { BASELINE, works } from './works.ts';

/**
 * `npm run bench esmtp`: `postern serve` beside another revision, a server on the library, npm's
 * smtp-server, and a bare responder on node:net or node:tls.
 */
export async function benchEsmtp(args: string[]): Promise<void> {
  const options = readEsmtpOptions(args);
  console.log(describeRun('esmtp', args));
  using folder = new TemporaryFolder();
  const certificate = await writeCertificate(folder.path);
  const { commit, revision } = openRevision(options.against);
  using _before = revision;
  if (revision !== undefined) console.log(`before: ${revision.commit}`);
  using load = new LoadGenerator(options.cores?.load, certificate.cert);
  const { cores, profile } = options;
  const setting: Setting = { cores, certificate, profile, before: revision?.root };
  const report: ReportOptions = {
    windows: windowsOf(options).map(({ after }) => `after ${after / 1000} s`),
    before: revision?.commit,
    isBaseline: commit === BASELINE,
  };
  const warned = await benchWorks(options, setting, load, report);
  const others = [
    { ids: ['s'], bench: () => benchStartUp(options, revision) },
    { ids: ['g', 'g-tls'], bench: () => benchMemory(options, setting, load, report.before) },
    { ids: ['h'], bench: () => benchWorkers(options, setting) },
  ];
  for (const { ids, bench } of others) {
    if (!ids.some(options.wanted)) continue;
    try {
      warned.push(...(await bench()));
    } catch (error) {
      console.log(`\nFAILED ${ids[0]}: ${(error as Error).message}`);
      process.exitCode = 1;
    }
  }
  if (warned.length > 0) console.log(`\n${warned.join('\n')}`);
}

/** Works a to f and t, each with its table at once; the ratios at the end. Resolves to warnings. */
async function benchWorks(
  options: EsmtpOptions,
  setting: Setting,
  load: LoadGenerator,
  report: ReportOptions,
): Promise<string[]> {
  const { rounds, roundsOfOthers } = options;
  const servers = options.servers.filter((name) => setting.before !== undefined || !name.startsWith('before'));
  const results: Result[] = [];
  for (const work of works.filter(({ id }) => options.wanted(id))) {
    const windows = windowsOf(options).slice(0, work.isSteady ? 1 : undefined);
    const schedule: Schedule = { rounds, roundsOfOthers, windows };
    const ofWork = servers.filter((name) => !work.without?.includes(name));
    const start = (name: ServerName): Promise<RunningServer> => startServer(name, work, setting);
    const result = { work, measured: await measureWork(work, ofWork, start, load, schedule) };
    results.push(result);
    console.log(`\n${costTable(result, report)}`);
    failOn(result.measured.failures);
  }
  if (results.length > 0) console.log(`\n${ratioTable(results, report)}`);
  return warnings(results, report);
}

/** After the warm-up, and in the steady state if it is measured as well. */
function windowsOf({ warmUp, measure, steady }: EsmtpOptions): Schedule['windows'] {
  const first = { after: warmUp, length: measure };
  return steady === undefined ? [first] : [first, { after: Math.max(steady, warmUp + measure), length: measure }];
}

/** Builds the revision to compare with. `auto` finds none in a clone without history. */
function openRevision(against: string | undefined): { commit?: string; revision?: Revision } {
  if (against === undefined) return {};
  const commit = resolveRevision(against);
  if (commit === undefined) {
    if (against !== 'auto') throw new Error(`--against ${against}: expected a commit of this repository`);
    progress('This clone has no commit to compare with.');
    return {};
  }
  progress(`Building ${commit.slice(0, 7)} …`);
  return { commit, revision: buildRevision(commit) };
}
