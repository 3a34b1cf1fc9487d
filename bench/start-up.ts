import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { compile } from './load.ts';
import type { Options } from './options.ts';
import { environment, serveArguments } from './postern-command.ts';
import { cpuSeconds, rssKib } from './processes.ts';
import { progress } from './progress.ts';
import { warnAbove } from './report.ts';
import { type Revision, ROOT } from './revision.ts';
import { formatSpread, ratio, ratios, spread, verdictAtMost } from './statistics.ts';
import { table } from './table.ts';
import { TemporaryFolder } from './temporary-folder.ts';

/** What one start used: seconds by the clock and of processor time, and KiB of memory (RSS). */
interface Start {
  readonly wall: number;
  readonly cpu: number;
  readonly rssKib: number;
}

/** A program to start, and the figures that are asked of it. */
interface Subject {
  readonly name: string;
  readonly start: () => Start | Promise<Start>;
  readonly asked?: { readonly cpu?: number; readonly wall?: number; readonly rssMib: number };
  /** The subject of the other revision. */
  readonly before?: string;
}

/**
 * Work s: what a start costs. `--version` runs to its end; `serve` runs until it listens, and its
 * memory is that of a second later. Resolves to warnings.
 */
export async function benchStartUp({ rounds, quick }: Options, revision: Revision | undefined): Promise<string[]> {
  using folder = new TemporaryFolder();
  const usage = join(folder.path, 'usage');
  compile([join(import.meta.dirname, 'start-up/usage.c')], usage);
  const subjects = subjectsOf(usage, folder.path, revision);
  const starts = new Map(subjects.map(({ name }): [string, Start[]] => [name, []]));
  const count = quick ? rounds : ROUNDS_FACTOR * rounds;
  // The round before the first one fills the file cache, and Node's compile cache where it is used.
  for (let round = 0; round <= count; round++) {
    for (const { name, start } of subjects) {
      const seen = await start();
      if (round === 0) continue;
      starts.get(name)?.push(seen);
      progress(`s ${round}/${count} ${name}: ${seen.cpu.toFixed(3)} s CPU, ${seen.wall.toFixed(3)} s`);
    }
  }
  const values = (name: string, value: keyof Start): number[] => (starts.get(name) ?? []).map((start) => start[value]);
  const bare = BARE.name;
  const rows = subjects.map(({ name, asked }) => {
    const [cpu, wall, kib] = (['cpu', 'wall', 'rssKib'] as const).map((value) => values(name, value)) as [
      number[],
      number[],
      number[],
    ];
    const mib = spread(kib.map((size) => size / 1024));
    const cpuRatio = spread(ratios(cpu, values(bare, 'cpu')));
    const wallRatio = spread(ratios(wall, values(bare, 'wall')));
    return [
      name,
      formatSpread(spread(cpu), 3),
      verdictAtMost(spread(cpu), asked?.cpu),
      ratio(cpuRatio),
      verdictAtMost(cpuRatio, asked?.cpu && asked.cpu / BARE.cpu, 1),
      formatSpread(spread(wall), 3),
      verdictAtMost(spread(wall), asked?.wall),
      ratio(wallRatio),
      verdictAtMost(wallRatio, asked?.wall && asked.wall / BARE.wall, 1),
      formatSpread(mib, 1),
      verdictAtMost(mib, asked?.rssMib, 0),
    ];
  });
  console.log(`\n${table(HEADER, rows)}`);
  return subjects.flatMap(({ name, before }) =>
    before === undefined
      ? []
      : warnAbove(`s, ${name}: CPU time`, spread(ratios(values(name, 'cpu'), values(before, 'cpu'))), before),
  );
}

function subjectsOf(usage: string, folder: string, revision: Revision | undefined): Subject[] {
  const subjects: Subject[] = [];
  const program = (root: string): string => join(root, 'packages/postern/bin/postern.js');
  for (const [root, suffix] of [
    [ROOT, ''],
    ...(revision ? [[revision.root, ` (${revision.commit})`] as const] : []),
  ] as const) {
    const ours = root === ROOT;
    const version = 'postern --version';
    const serve = 'postern serve';
    subjects.push(
      {
        name: `${version}${suffix}`,
        start: () => runToEnd(usage, folder, [program(root), '--version']),
        ...(ours && { asked: { cpu: 0.1, rssMib: 55 } }),
        ...(ours && revision && { before: `${version} (${revision.commit})` }),
      },
      {
        name: `${serve}${suffix}`,
        start: () => runUntilListening(folder, [program(root), 'serve', ...serveArguments({})]),
        ...(ours && { asked: { wall: 0.2, rssMib: 65 } }),
        ...(ours && revision && { before: `${serve} (${revision.commit})` }),
      },
    );
  }
  subjects.push(
    {
      name: 'smtp-server',
      start: () => runUntilListening(folder, [join(import.meta.dirname, 'start-up/smtp-server.mjs')]),
    },
    { name: BARE.name, start: () => runToEnd(usage, folder, ['-e', '0']) },
  );
  return subjects;
}

function runToEnd(usage: string, folder: string, args: readonly string[]): Start {
  const options = { cwd: folder, env: environment(), encoding: 'utf8' } as const;
  const { stdout, stderr } = spawnSync(usage, [process.execPath, ...args], options);
  const used = JSON.parse(stdout) as Start & { status: number };
  if (used.status !== 0) throw new Error(`node ${args.join(' ')} ended with ${used.status}: ${stderr.trim()}`);
  return used;
}

async function runUntilListening(folder: string, args: readonly string[]): Promise<Start> {
  const log = openSync(join(folder, 'log'), 'w');
  const begin = performance.now();
  const child = spawn(process.execPath, args, { cwd: folder, env: environment(), stdio: ['ignore', 'pipe', log] });
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  const exit = once(child, 'exit');
  try {
    await listening(child);
    const wall = (performance.now() - begin) / 1000;
    const { pid = 0 } = child;
    const cpu = cpuSeconds(pid);
    await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
    return { wall, cpu, rssKib: rssKib(pid) };
  } finally {
    child.kill('SIGTERM');
    await exit;
    process.off('exit', kill);
    closeSync(log);
  }
}

async function listening({ stdout }: ChildProcess): Promise<void> {
  if (stdout === null) throw new Error('a server without a standard output');
  for await (const line of createInterface(stdout)) {
    if (!line.startsWith('listening ')) continue;
    stdout.resume();
    return;
  }
  throw new Error('a server ended before it listened');
}

const HEADER = [
  's start',
  'CPU s',
  'asked',
  'of node -e 0',
  'asked',
  'wall s',
  'asked',
  'of node -e 0',
  'asked',
  'RSS MiB',
  'asked',
];

/** A Node that does nothing, and its seconds where the figures of `asked` were measured. */
const BARE = { name: 'node -e 0', cpu: 0.04, wall: 0.04 };

/** A start is short, so that each round has several. */
const ROUNDS_FACTOR = 3;

/** How long a server has listened when its memory is read, in milliseconds. */
const IDLE_MS = 1_000;
