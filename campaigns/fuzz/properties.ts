import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What a run of all properties did. */
export interface PropertiesReport {
  /** The exit code of the test runner. */
  readonly status: number;
  /** How many inputs the properties had. */
  readonly runs: number;
}

/**
 * Runs every test file that has properties, with twenty times the full number of runs of each
 * property.
 */
export async function runProperties(): Promise<PropertiesReport> {
  const folder = await mkdtemp(join(tmpdir(), 'postern-fuzz-'));
  try {
    const counts = join(folder, 'counts');
    const child = spawn('npm', ['run', 'fuzz:properties', '--silent'], {
      cwd: fileURLToPath(new URL('../..', import.meta.url)),
      stdio: 'inherit',
      env: { ...process.env, FUZZ_COUNTS: counts },
    });
    const [status] = (await once(child, 'exit')) as [number | null];
    const lines = (await readFile(counts, 'utf8').catch(() => '')).split('\n');
    return { status: status ?? 1, runs: lines.reduce((sum, line) => sum + Number(line), 0) };
  } finally {
    await rm(folder, { recursive: true });
  }
}
