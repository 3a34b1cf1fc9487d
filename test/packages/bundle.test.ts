import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bundle } from '../support/bundle.ts';
import { run } from '../support/program.ts';

const PACKAGES = join(import.meta.dirname, '../../packages');

describe('an ESM bundle', () => {
  it('of all packages loads and imports modules of Node only', async () => {
    const imports = doors().map((door, n) => `import * as door${n} from '${door}';`);
    const names = doors().map((_door, n) => `door${n}`);
    const code = `${imports.join('\n')}\nconsole.log([${names.join()}].every((door) => Object.keys(door).length > 0));`;
    expect(await run(process.execPath, [await bundle(code)])).toEqual({ code: 0, output: 'true\n' });
  });
});

/** Returns the entry points of all packages. */
function doors(): readonly string[] {
  return readdirSync(PACKAGES).flatMap((folder) => {
    const { name, exports } = JSON.parse(readFileSync(join(PACKAGES, folder, 'package.json'), 'utf8')) as {
      readonly name: string;
      readonly exports: Record<string, unknown>;
    };
    return Object.keys(exports).map((path) => name + path.slice(1));
  });
}
