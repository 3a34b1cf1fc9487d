import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { expect, onTestFinished } from 'vitest';

/**
 * Bundles the code with what the packages ship (`dist`) into one ESM file, in a folder above which there is no node_modules, and expects
 * that only Node's own modules are left to import. Returns the path of the file; the end of the test removes it.
 */
export async function bundle(code: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'postern-bundle-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const outfile = join(folder, 'bundle.mjs');
  const { warnings, metafile } = await build({
    stdin: { contents: code, loader: 'ts', resolveDir: join(import.meta.dirname, '../..') },
    bundle: true,
    format: 'esm',
    platform: 'node',
    outfile,
    metafile: true,
    logLevel: 'silent',
  });
  expect(warnings).toEqual([]);
  const imported = Object.values(metafile.outputs).flatMap(({ imports }) => imports.map(({ path }) => path));
  expect(imported.filter((path) => !path.startsWith('node:'))).toEqual([]);
  return outfile;
}
