// Everything `npm run check` looks at, one line for each. `--no-tests` leaves out the tests, for who has just run them.
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
  check('types: tsc', tool('tsc', '-b'));
  check('unused: knip', tool('knip'));
  // As packed, and not as it lies here: what `files` leaves out is missed by nobody else before the first user.
  check('npm pack', npm('pack', '--workspaces', '--pack-destination', packed));
  for (const file of readdirSync(packed).sort()) {
    check(`exports: publint ${file}`, tool('publint', join(packed, file), '--strict'));
    check(`types as packed: attw ${file}`, tool('attw', join(packed, file), '--profile', 'esm-only'));
  }
  if (!process.argv.includes('--no-tests')) check('tests: vitest', tool('vitest', 'run'));
} finally {
  rmSync(packed, { recursive: true });
}

if (failed.length > 0) {
  console.error(`\nFailed: ${failed.join(', ')}`);
  process.exitCode = 1;
}

/** Goes on after a failure: who mends one thing wants to know of the others. */
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

/** The npm that runs this script, under this Node. */
function npm(...args) {
  const script = process.env.npm_execpath;
  return script ? [process.execPath, script, ...args] : ['npm', ...args];
}
