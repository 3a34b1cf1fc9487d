import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { format } from 'node:util';
import { describe, expect, test, vi } from 'vitest';

describe.each(readmes())('the README of $name', ({ name, readme }) => {
  test('says how to install it', () => {
    expect(readme).toMatch(new RegExp(`npm (install|i) (.* )?${name}( |$)`, 'm'));
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

/** The first ```ts fence, and the ```text fence if that is the next one. */
function firstExample(readme: string): { example?: string | undefined; output?: string | undefined } {
  const fences = [...readme.matchAll(/^```(\w*)[^\n]*\n(.*?)^```$/gms)].map(([, language, text]) => ({
    language,
    text,
  }));
  const at = fences.findIndex(({ language }) => language === 'ts');
  const next = at < 0 ? undefined : fences[at + 1];
  return { example: fences[at]?.text, output: next?.language === 'text' ? next.text : undefined };
}

/** Runs the example as a file of this tree, so that package names lead to the sources; answers what it printed. */
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
