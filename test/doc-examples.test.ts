import { execFile } from 'node:child_process';
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { beforeAll, expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..');

interface Example {
  /** The file with the example, from the root of the repository. */
  readonly path: string;
  /** The line of the file on which the code begins, counted from 1. */
  readonly line: number;
  readonly code: string;
}

const FAULTY: Example = { path: 'packages/core/src/faulty.ts', line: 7, code: '\nconst one: number = "1";\n' };

// One compilation for both tests: the compiler spends most of its time on the packages' types.
const examples = [...docExamples(), ...readmeExamples()];
let errors: readonly string[];
beforeAll(async () => {
  errors = (await compile([...examples, FAULTY])).trimEnd().split('\n');
});

test('each @example of a package and each `ts` fence of a README compiles', () => {
  expect(examples.length).toBeGreaterThan(10);
  expect(errors.filter((line) => !line.startsWith(FAULTY.path))).toEqual([]);
});

test('a compile error names the file and the line of the example', () => {
  expect(errors.filter((line) => line.startsWith(FAULTY.path))).toEqual([
    expect.stringMatching(/^packages\/core\/src\/faulty\.ts\(8,7\): error TS2322: /),
  ]);
});

/** Returns the code of the `@example` tags in the doc comments of all packages. */
function docExamples(): Example[] {
  return globSync('packages/*/src/**/*.ts', { cwd: ROOT }).flatMap((path) => {
    const source = readFileSync(join(ROOT, path), 'utf8');
    return Array.from(
      source.matchAll(/^ *\* @example *\n((?: *\*(?!\/)(?! *@).*\n)*)/gm),
      ({ 0: tag, 1: body = '', index }) => ({
        path,
        line: lineAt(source, index + tag.length - body.length),
        code: body.replaceAll(/^ *\* ?/gm, '').replaceAll(/^```.*$/gm, ''),
      }),
    );
  });
}

function readmeExamples(): Example[] {
  return globSync('{README.md,packages/*/README.md}', { cwd: ROOT }).flatMap((path) => {
    const readme = readFileSync(join(ROOT, path), 'utf8');
    return Array.from(readme.matchAll(/^```ts\n(.*?)^```$/gms), ({ 0: fence, 1: code = '', index }) => ({
      path,
      line: lineAt(readme, index + fence.indexOf(code)),
      code,
    }));
  });
}

function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}

/**
 * Compiles each example as a module of its own. Returns the errors as `FILE(LINE,COLUMN): MESSAGE`
 * lines.
 */
async function compile(examples: readonly Example[]): Promise<string> {
  const dir = join(import.meta.dirname, '.readme', crypto.randomUUID());
  try {
    for (const { path, line, code } of examples) {
      const file = join(dir, `${path}.${line}.ts`);
      mkdirSync(dirname(file), { recursive: true });
      // The blank lines give the compiler's messages the line numbers of the source.
      writeFileSync(file, '\n'.repeat(line - 1) + code);
    }
    writeFileSync(join(dir, 'tsconfig.json'), TSCONFIG);
    const { promise, resolve } = Promise.withResolvers<string>();
    const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
    execFile(process.execPath, [tsc, '-p', dir, '--pretty', 'false'], { cwd: dir }, (error, stdout, stderr) =>
      resolve(error === null ? '' : stdout + stderr),
    );
    return (await promise).replaceAll(/\.\d+\.ts\(/g, '(').replaceAll(`${relative(ROOT, dir)}/`, '');
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

const TSCONFIG = JSON.stringify({
  extends: '../../../tsconfig.base.json',
  compilerOptions: {
    noEmit: true,
    allowImportingTsExtensions: true,
    composite: false,
    declarationMap: false,
    sourceMap: false,
    rewriteRelativeImportExtensions: false,
    // The examples see the packages' declarations, as users do: the build has checked the sources.
    customConditions: [],
  },
  include: ['**/*.ts'],
});
