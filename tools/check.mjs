// Runs each check of `npm run check` and prints one line for it. `--no-tests` leaves out the tests,
// which CI runs itself.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const packed = mkdtempSync(join(tmpdir(), 'postern-packed-'));
const failed = [];

try {
  check('lock file', tool('tools/check-lock.mjs'));
  check('package metadata', tool('tools/check-manifests.mjs'));
  check('format and lint: biome', tool('biome', 'check', '--error-on-warnings', '.'));
  check('lint with types: oxlint', tool('oxlint', '--deny-warnings'));
  check('language', tool('tools/check-prose.mjs'));
  check('renamed names', tool('tools/check-names.mjs'));
  check('types: tsc', tool('tsc', '-b'));
  check('unused: knip', tool('knip'));
  // The packed files are checked: only they show what `files` in a package.json leaves out.
  check('npm pack', npm('pack', '--workspaces', '--pack-destination', packed));
  for (const file of readdirSync(packed).sort()) {
    check(`exports: publint ${file}`, tool('publint', join(packed, file), '--strict'));
    check(`types as packed: attw ${file}`, tool('attw', join(packed, file), '--profile', 'esm-only'));
  }
  if (!process.argv.includes('--no-tests')) check('tests: vitest', tool('vitest', 'run', '--project=test:*'));
} finally {
  rmSync(packed, { recursive: true });
}

if (failed.length > 0) {
  console.error(`\nFailed: ${failed.join(', ')}`);
  process.exitCode = 1;
}

/** Runs one check and prints its result. A failure does not end the run. */
function check(name, [command, ...args]) {
  const begin = performance.now();
  const { status, error, output } = spawnSync(command, args, { cwd: root, encoding: 'utf8', stdio: 'pipe' });
  const seconds = ((performance.now() - begin) / 1000).toFixed(1);
  console.log(`${status === 0 ? 'ok  ' : 'FAIL'} ${name} (${seconds} s)`);
  if (status === 0) return;
  failed.push(name);
  console.error(error?.message ?? output.join(''));
}

function tool(...args) {
  return [process.execPath, join(root, 'tools/node.mjs'), ...args];
}

/** Returns the command for the npm that runs this script, under this Node. */
function npm(...args) {
  const script = process.env.npm_execpath;
  return script ? [process.execPath, script, ...args] : ['npm', ...args];
}
