import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { format } from 'node:util';
import { describe, expect, test, vi } from 'vitest';
import { firstExample, installed } from './support/readme.ts';

describe.each(readmes())('the README of $name', ({ name, readme }) => {
  test('says how to install it, and what its example imports besides', () => {
    const { example = '' } = firstExample(readme);
    const imports = Array.from(example.matchAll(/ from '((?:@[^/']+\/)?[^/']+)/g), ([, specifier = '']) => specifier);
    const wanted = imports.filter((specifier) => !isBuiltin(specifier));
    expect(installed(readme)).toEqual(expect.arrayContaining([name, ...wanted]));
  });

  test('explains its decisions', () => {
    expect(readme).toMatch(/^#+ Decisions/m);
  });

  test('has an example, which runs and prints what it says', async () => {
    const { example, output } = firstExample(readme);
    expect(example).toBeDefined();
    const printed = await run(name, example ?? '');
    if (output !== undefined) expect(printed).toBe(output);
  });
});

function readmes(): { name: string; readme: string }[] {
  return readdirSync('packages').map((room) => {
    const dir = join('packages', room);
    const { name } = JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8')) as { name: string };
    const file = join(dir, 'README.md');
    return { name, readme: existsSync(file) ? readFileSync(file, 'utf8') : '' };
  });
}

/**
 * Runs the example as a file of this tree, so that package names lead to the sources; answers what
 * it printed.
 */
async function run(name: string, example: string): Promise<string> {
  const dir = join(import.meta.dirname, '.readme');
  const file = join(dir, `${name.replace(/\W+/g, '-')}-${crypto.randomUUID()}.ts`);
  mkdirSync(dir, { recursive: true });
  writeFileSync(file, example);
  let printed = '';
  const log = vi.spyOn(console, 'log').mockImplementation((...values) => {
    printed += `${format(...values)}\n`;
  });
  try {
    await import(/* @vite-ignore */ pathToFileURL(file).href);
    return printed;
  } finally {
    log.mockRestore();
    rmSync(file);
  }
}
