// Builds the package of the current folder before npm packs it, and removes built files without a
// source.
//
// npm runs this as `prepack`, so that `npm pack` directly after `npm ci` has everything in it.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const { status } = spawnSync(process.execPath, [join(import.meta.dirname, 'node.mjs'), 'tsc', '-b'], {
  // npm's standard output may be JSON (`npm pack --json`).
  stdio: ['ignore', 2, 2],
});
if (status === 0) removeOrphans('dist', 'src');
process.exitCode = status ?? 1;

/** Removes each built file without a TypeScript file, which the compiler leaves after a rename. */
function removeOrphans(dist, src) {
  for (const entry of readdirSync(dist, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name);
    const [, stem] = /^(.*?)(\.d\.ts|\.js)(\.map)?$/.exec(file) ?? [];
    if (stem !== undefined && !existsSync(`${src}${stem.slice(dist.length)}.ts`)) rmSync(file);
  }
}
