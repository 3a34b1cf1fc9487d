import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { BIN } from './support/postern.ts';
import { run } from './support/program.ts';

const FLOOR = '22.18';
const manifests = readdirSync('packages').map(
  (room) => JSON.parse(readFileSync(`packages/${room}/package.json`, 'utf8')) as Manifest,
);
const libraries = manifests.map(({ name }) => name).filter((name) => name !== 'postern');

/** The library that makes the check. Each other library imports it. */
const CORE = ['@postern/core'];

describe.each(manifests)('$name', ({ engines }) => {
  it(`needs Node ${FLOOR}`, () => {
    expect(engines.node).toBe(`>=${FLOOR}`);
  });
});

// Loading all libraries takes long: the two versions beside the limit are enough.
describe('each library', () => {
  it('gives Node 22.17.1 one sentence as the error of its import', async () => {
    expect(await importErrors('22.17.1', libraries)).toBe(sentences('22.17.1', libraries));
  });

  it('loads in Node 22.18.0', async () => {
    expect(await importErrors('22.18.0', libraries)).toBe('');
  });
});

describe.each(['18.20.8', '20.20.2', '22.17.1'])('Node %s', (version) => {
  it('gets one sentence as the error of an import', async () => {
    expect(await importErrors(version, CORE)).toBe(sentences(version, CORE));
  });

  it('gets one sentence from the command', async () => {
    const { code, output } = await run(process.execPath, [...as(version), BIN, '--version']);
    expect(output).toBe(`postern needs Node ${FLOOR} or newer; this is Node ${version}\n`);
    expect(code).toBe(2);
  });
});

describe.each(['22.18.0', '24.0.0', '100.0.0'])('Node %s', (version) => {
  it('is new enough for the libraries and the command', async () => {
    expect(await importErrors(version, CORE)).toBe('');
    expect(await run(process.execPath, [...as(version), BIN, '--version'])).toMatchObject({ code: 0 });
  });
});

interface Manifest {
  readonly name: string;
  readonly engines: { readonly node: string };
}

/** Imports libraries in a Node of the given version. Resolves to a line for each error. */
async function importErrors(version: string, names: readonly string[]): Promise<string> {
  const imports = names.map(
    (name) => `await import('${name}').catch(({ message }) => console.log('${name}: ' + message));`,
  );
  const { output } = await run(process.execPath, [...as(version), '--input-type=module', '--eval', imports.join('\n')]);
  return output;
}

/** Returns what `importErrors` resolves to where the version is too old. */
function sentences(version: string, names: readonly string[]): string {
  return names.map((name) => `${name}: Postern needs Node ${FLOOR} or newer; this is Node ${version}\n`).join('');
}

/** Returns options with which Node reports the given version as its own. */
function as(version: string): readonly string[] {
  const versions = `{ value: { ...process.versions, node: '${version}' } }`;
  const module = encodeURIComponent(`Object.defineProperty(process, 'versions', ${versions})`);
  return ['--import', `data:text/javascript,${module}`];
}
