import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { LineClient } from '../support/line-client.ts';
import { runPostern, startPostern } from '../support/postern.ts';
import { words } from '../support/program.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

// The command runs as a process of its own, since Vitest has its own module loader.

describe('a config file that does not load', () => {
  it('is named with the line of the syntax error', async () => {
    using folder = temporaryFolder('config');
    const path = written(folder.path, 'd.config.mts', 'export default {\n  listen: ,\n};');
    expect(await explain(path)).toEqual([
      2,
      expect.stringContaining(`postern: ${path}:2: expected a module that loads`),
    ]);
  });

  it.each([
    ['import x from "node:fs";', 'ts', 'mts'],
    ['', 'js', 'mjs'],
  ])('is reported, in a CommonJS project, with the way to make it a module: %j', async (code, extension, better) => {
    using folder = temporaryFolder('config');
    const path = written(folder.path, `postern.config.${extension}`, `${code} export default {};`);
    const manifest = written(folder.path, 'package.json', '{ "type": "commonjs" }');
    const expected = `expected "type": "module" there, or the name postern.config.${better} for the file\n`;
    const sentence = `; ${manifest} has "type": "commonjs": ${expected}`;
    expect(await explain(path)).toEqual([2, expect.stringContaining(sentence)]);
    const renamed = written(folder.path, `postern.config.${better}`, `${code} export default {};`);
    expect(await explain(renamed)).toEqual([0, expect.stringContaining('smtp://127.0.0.1:2500')]);
  });
});

it('a typed config file may hold a checker of its own and the settings of the options', async () => {
  await using server = await startPostern('--config', typedConfig());
  using client = new LineClient(connect({ host: '127.0.0.1', port: Number(server.urls[0]?.port) }));
  await client.hear();
  expect(await client.say('EHLO client.example.com')).toContain('SIZE 4711\r\n');
  expect(await client.say(`AUTH PLAIN ${btoa('\0joe\0wrong')}`)).toMatch(/^535 /);
  expect(await client.say(`AUTH PLAIN ${btoa('\0joe\0from the file')}`)).toMatch(/^235 /);
});

/** Writes a typed file in this tree, where Node finds the packages and has types to strip. */
function typedConfig(): string {
  const folder = join(import.meta.dirname, `../.readme/config-${crypto.randomUUID()}`);
  mkdirSync(folder, { recursive: true });
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return written(
    folder,
    'postern.config.ts',
    `import { type Checker, UnauthorizedLogin, UsernamePassword } from '@postern/cred';
     import { type Config, defineConfig } from 'postern';

     const database: Checker<UsernamePassword> = {
       credentialInterfaces: [UsernamePassword],
       requestAvatarId({ username, password }: UsernamePassword): string {
         if (password !== 'from the file') throw new UnauthorizedLogin();
         return username;
       },
     };
     const config: Config = {
       listen: ['smtp://127.0.0.1:0'],
       auth: [database],
       deliver: 'discard',
       log: 'silent',
       limits: { maxMessageSize: 4711 },
     };
     export default defineConfig(config);
    `,
  );
}

/** Writes the code into the folder and returns the path. */
function written(folder: string, name: string, code: string): string {
  const path = join(folder, name);
  writeFileSync(path, code);
  return path;
}

async function explain(config: string): Promise<readonly [code: number | null, output: string]> {
  const { code, output } = await runPostern(words`explain --config ${config}`);
  return [code, output];
}
