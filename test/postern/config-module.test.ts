import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { BIN } from '../support/postern.ts';
import { run } from '../support/program.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

// The command itself loads the files here: Vitest has a loader of its own.
describe('a config file that does not load', () => {
  it('is named with the line of the syntax error', async () => {
    using folder = temporaryFolder('config');
    const path = await written(folder.path, 'd.config.mts', 'export default {\n  listen: ,\n};');
    expect(await explain(path)).toEqual([
      2,
      expect.stringContaining(`postern: ${path}:2: expected a module that loads`),
    ]);
  });

  it.each([
    ['import x from "node:fs";', 'ts', 'mts'],
    ['', 'js', 'mjs'],
  ])('in a project of CommonJS is told how to become a module: %j', async (code, extension, better) => {
    using folder = temporaryFolder('config');
    const path = await written(folder.path, `postern.config.${extension}`, `${code} export default {};`);
    const manifest = join(path, '../package.json');
    await writeFile(manifest, '{ "type": "commonjs" }');
    const expected = `expected "type": "module" there, or the name postern.config.${better} for the file\n`;
    const told = `; ${manifest} has "type": "commonjs": ${expected}`;
    expect(await explain(path)).toEqual([2, expect.stringContaining(told)]);
    const renamed = join(path, `../postern.config.${better}`);
    await writeFile(renamed, `${code} export default {};`);
    expect(await explain(renamed)).toEqual([0, expect.stringContaining('smtp://127.0.0.1:2500')]);
  });
});

/** Writes the code into the folder; resolves to the path. */
async function written(folder: string, name: string, code: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, code);
  return path;
}

async function explain(config: string): Promise<readonly [code: number | null, output: string]> {
  const { code, output } = await run(process.execPath, [BIN, 'explain', '--config', config]);
  return [code, output];
}
