import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const PACKAGES = join(import.meta.dirname, '../../packages');
const BUNDLE = join(PACKAGES, 'postern/bundle');

interface Manifest {
  readonly name: string;
  readonly exports: Record<string, unknown>;
  readonly dependencies?: Record<string, string>;
}

describe('the bundle of the command', () => {
  // A config file that imports another entry point would get a second copy of the classes.
  it('shares all entry points of its packages with the config file', () => {
    const names = bundledManifests().flatMap(({ name, exports }) =>
      Object.keys(exports).map((path) => name + path.slice(1)),
    );
    expect(names).toContain('@postern/sasl/client');
    expect(sharedFiles().map(([name]) => name)).toEqual(names.sort());
  });

  it('has a file for each entry point that it shares', () => {
    const files = readdirSync(BUNDLE);
    for (const [name, file] of sharedFiles()) expect(files, name).toContain(file);
  });
});

/** Returns the manifests of `postern` and of those of our packages that it always needs. */
function bundledManifests(): readonly Manifest[] {
  const folders = new Set(['postern']);
  // The loop also visits the folders that it adds.
  for (const folder of folders) {
    for (const name of Object.keys(manifestOf(folder).dependencies ?? {})) {
      if (name.startsWith('@postern/')) folders.add(name.slice('@postern/'.length));
    }
  }
  return [...folders].map(manifestOf);
}

function manifestOf(folder: string): Manifest {
  return JSON.parse(readFileSync(join(PACKAGES, folder, 'package.json'), 'utf8'));
}

/** Returns the list `shared` of tools/bundle.mjs from the bundle: names and files, by name. */
function sharedFiles(): readonly (readonly [name: string, file: string])[] {
  const code = readdirSync(BUNDLE).map((file) => readFileSync(join(BUNDLE, file), 'utf8'));
  const pairs = code.join('\n').matchAll(/\["((?:@postern\/)?[\w/-]+)", "([\w.-]+\.js)"\]/g);
  return Array.from(pairs, ([, name = '', file = '']) => [name, file] as const).sort(([a], [b]) => (a < b ? -1 : 1));
}
