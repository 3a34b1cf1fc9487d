import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { BIN } from './support/postern.ts';
import { run } from './support/program.ts';

const FLOOR = '22.18';
const manifests = readdirSync('packages').map(
  (room) => JSON.parse(readFileSync(`packages/${room}/package.json`, 'utf8')) as Manifest,
);
const libraries = manifests.map(({ name }) => name).filter((name) => name !== 'postern');

/** Options for a Node that imports each library and prints the errors. */
const IMPORTS = [
  '--input-type=module',
  '--eval',
  libraries
    .map((name) => `await import('${name}').catch(({ message }) => console.log('${name}: ' + message));`)
    .join('\n'),
];

describe.each(manifests)('$name', ({ engines }) => {
  it(`needs Node ${FLOOR}`, () => {
    expect(engines.node).toBe(`>=${FLOOR}`);
  });
});

describe.each(['18.20.8', '20.20.2', '22.17.1'])('Node %s', (version) => {
  it('gets one sentence as the error of each import', async () => {
    const { output } = await run(process.execPath, [...as(version), ...IMPORTS]);
    const sentence = `Postern needs Node ${FLOOR} or newer; this is Node ${version}`;
    expect(output).toBe(libraries.map((name) => `${name}: ${sentence}\n`).join(''));
  });

  it('gets one sentence from the command', async () => {
    const { code, output } = await run(process.execPath, [...as(version), BIN, '--version']);
    expect(output).toBe(`postern needs Node ${FLOOR} or newer; this is Node ${version}\n`);
    expect(code).toBe(2);
  });
});

describe.each(['22.18.0', '24.0.0', '100.0.0'])('Node %s', (version) => {
  it('is new enough for all packages and the command', async () => {
    const { output } = await run(process.execPath, [...as(version), ...IMPORTS]);
    expect(output).toBe('');
    expect(await run(process.execPath, [...as(version), BIN, '--version'])).toMatchObject({ code: 0 });
  });
});

interface Manifest {
  readonly name: string;
  readonly engines: { readonly node: string };
}

/** Returns options with which Node reports the given version as its own. */
function as(version: string): readonly string[] {
  const versions = `{ value: { ...process.versions, node: '${version}' } }`;
  const module = encodeURIComponent(`Object.defineProperty(process, 'versions', ${versions})`);
  return ['--import', `data:text/javascript,${module}`];
}
