import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

/** The cores of the server and of the load generator; undefined without `taskset`. */
export interface Cores {
  readonly server: number;
  readonly load: number;
}

/** A server under test, in one or several processes of its own. */
export interface RunningServer extends AsyncDisposable {
  readonly port: number;
  /** The processes that do its work. */
  readonly pids: readonly number[];
  /** Resolves to the number of messages that it took; undefined if it does not count them. */
  readonly countMessages?: () => Promise<number | undefined>;
  /** Makes it collect its garbage. */
  readonly collect?: () => Promise<unknown>;
}

/** Returns the command that runs on these cores, as `taskset` writes them, and no others. */
export function pinned(
  cores: number | string | undefined,
  command: string,
  args: readonly string[],
): [string, string[]] {
  return cores === undefined ? [command, [...args]] : ['taskset', ['-c', String(cores), command, ...args]];
}

/** Returns the cores that this process may run on. In a container they need not begin at 0. */
export function allowedCores(): number[] {
  const all = Array.from({ length: availableParallelism() }, (_, core) => core);
  const { stdout } = spawnSync('taskset', ['-c', '-p', String(process.pid)], { encoding: 'utf8' });
  const list = /: ([\d,-]+)$/.exec(stdout?.trim() ?? '')?.[1];
  if (list === undefined) return all;
  return list.split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, offset) => first + offset);
  });
}

/** Returns whether a command exists. */
export function has(command: string): boolean {
  return spawnSync(command, ['--version'], { stdio: 'ignore' }).error === undefined;
}

/** Returns the memory of a process (RSS) in KiB. */
export function rssKib(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}

/** Returns the processor time of all threads of a process, in seconds. */
export function cpuSeconds(pid: number): number {
  const nanoseconds = readdirSync(`/proc/${pid}/task`).map((thread) =>
    Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]),
  );
  return nanoseconds.reduce((sum, time) => sum + time, 0) / 1e9;
}

/** Returns the processes that a process has started. */
export function childrenOf(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
  );
}

/** Returns how many files a process may open here. */
export function maxOpenFiles(): number {
  const limit = /^Max open files\s+\S+\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
  return limit === 'unlimited' ? Number.POSITIVE_INFINITY : Number(limit);
}
