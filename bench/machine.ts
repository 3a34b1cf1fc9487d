import { spawnSync } from 'node:child_process';
import { cpus, loadavg } from 'node:os';
import { ROOT } from './revision.ts';

/** Describes the machine, its load, and the command that repeats the run, one fact a line. */
export function describeRun(bench: string, args: readonly string[]): string {
  const load = loadavg().map((average) => average.toFixed(2));
  return [
    `Node ${process.versions.node} on ${cpus().length} cores of ${cpus()[0]?.model ?? 'an unknown processor'}`,
    `load average before: ${load.join(', ')}`,
    `commit: ${describeCommit()}`,
    `to repeat: npm run bench -- ${[bench, ...args].join(' ')}`,
  ].join('\n');
}

/** Returns the commit, and whether files differ from it. */
function describeCommit(): string {
  const { status, stdout } = spawnSync('git', ['-C', ROOT, 'describe', '--always', '--dirty', '--exclude', '*'], {
    encoding: 'utf8',
  });
  return status === 0 ? stdout.trim() : 'unknown';
}
