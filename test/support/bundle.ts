import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { expect, onTestFinished } from 'vitest';

/**
 * Bundles the code with the built packages (`dist`) into one ESM file and returns its path. Expects
 * that the file imports modules of Node only, and {@link NATIVE} on demand. No folder above the
 * file has a node_modules; the end of the test removes the file.
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
    // Node runs `await using` from 24 on.
    target: `node${process.versions.node}`,
    outfile,
    metafile: true,
    external: NATIVE,
    logLevel: 'silent',
  });
  expect(warnings).toEqual([]);
  const imported = Object.values(metafile.outputs).flatMap(({ imports }) => imports);
  const isAllowed = ({ kind, path }: { kind: string; path: string }) =>
    path.startsWith('node:') || (kind === 'dynamic-import' && NATIVE.includes(path));
  expect(imported.filter((file) => !isAllowed(file))).toEqual([]);
  return outfile;
}

/** Optional dependencies in native code, which no bundler can put into a file of JavaScript. */
const NATIVE = ['@node-rs/argon2'];
