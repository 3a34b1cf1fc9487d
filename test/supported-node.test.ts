import { readdirSync, readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { BIN } from './support/postern.ts';
import { type Ended, run } from './support/program.ts';

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
  it('gets one sentence as the error of an import, and one from the command', async () => {
    const { code, output } = await importAndCommand(version);
    const sentence = `postern needs Node ${FLOOR} or newer; this is Node ${version}\n`;
    expect(output).toBe(sentences(version, CORE) + sentence);
    expect(code).toBe(2);
  });
});

describe.each(['22.18.0', '24.0.0', '100.0.0'])('Node %s', (version) => {
  it('is new enough for the libraries and the command', async () => {
    const { code, output } = await importAndCommand(version);
    expect(output).toMatch(/^\d+\.\d+\.\d+\n$/);
    expect(code).toBe(0);
  });
});

interface Manifest {
  readonly name: string;
  readonly engines: { readonly node: string };
}

/** Imports libraries in a Node of the given version. Resolves to a line for each error. */
async function importErrors(version: string, names: readonly string[]): Promise<string> {
  const { output } = await run(process.execPath, [...as(version), ...module(imports(names))]);
  return output;
}

/**
 * Imports the library, then runs the command with `--version`, in one Node of the given version: a
 * start of Node takes longer than both.
 */
function importAndCommand(version: string): Promise<Ended> {
  const code = `${imports(CORE)}\nawait import(${JSON.stringify(pathToFileURL(BIN).href)});`;
  return run(process.execPath, [...as(version), ...module(code), BIN, '--version']);
}

/** Returns code that imports the libraries and prints a line for each error. */
function imports(names: readonly string[]): string {
  return names
    .map((name) => `await import('${name}').catch(({ message }) => console.log('${name}: ' + message));`)
    .join('\n');
}

/** Returns options with which Node runs the code as a module. */
function module(code: string): readonly string[] {
  return ['--input-type=module', '--eval', code];
}

/** Returns what `importErrors` resolves to where the version is too old. */
function sentences(version: string, names: readonly string[]): string {
  return names.map((name) => `${name}: Postern needs Node ${FLOOR} or newer; this is Node ${version}\n`).join('');
}

/** Returns options with which Node reports the given version as its own. */
function as(version: string): readonly string[] {
  const versions = `{ value: { ...process.versions, node: '${version}' } }`;
  const preload = encodeURIComponent(`Object.defineProperty(process, 'versions', ${versions})`);
  return ['--import', `data:text/javascript,${preload}`];
}
