import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bundle } from '../support/bundle.ts';
import { run } from '../support/program.ts';

const PACKAGES = join(import.meta.dirname, '../../packages');

describe('an ESM bundle', () => {
  it('of all packages without native code loads and imports modules of Node only', async () => {
    const imports = doors().map((door, n) => `import * as door${n} from '${door}';`);
    const names = doors().map((_door, n) => `door${n}`);
    const code = `${imports.join('\n')}\nconsole.log([${names.join()}].every((door) => Object.keys(door).length > 0));`;
    // Node 22 warns of its SQLite.
    const args = ['--disable-warning=ExperimentalWarning', await bundle(code)];
    expect(await run(process.execPath, args)).toEqual({ code: 0, output: 'true\n' });
  });

  it('computes hashes of Node, and says what a hash in a thread needs', async () => {
    const code = `
      import { HashQueue, parseSecret } from '@postern/users';
      const queue = new HashQueue();
      const pbkdf2 = parseSecret('$pbkdf2-sha256$1000$c2FsdHNhbHQ$' + 'A'.repeat(43));
      console.log(await queue.verify(pbkdf2, 'secret'));
      const bcrypt = parseSecret('$2y$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW');
      await queue.verify(bcrypt, 'secret').catch((error) => console.log(error.message));`;
    const { output } = await run(process.execPath, [await bundle(code)]);
    expect(output).toMatch(
      /^false\n\S+hash-worker\.mjs is missing, so no bcrypt, .* leave @postern\/users out of the bundle/,
    );
  });
});

/** Returns the entry points of all packages that a bundle can hold. */
function doors(): readonly string[] {
  const folders = readdirSync(PACKAGES).filter((folder) => !UNBUNDLED.includes(folder));
  return folders.flatMap((folder) => {
    const { name, exports } = JSON.parse(readFileSync(join(PACKAGES, folder, 'package.json'), 'utf8')) as {
      readonly name: string;
      readonly exports: Record<string, unknown>;
    };
    return Object.keys(exports).map((path) => name + path.slice(1));
  });
}

/** koffi is native code, and pg has `require` of modules of Node, which fails in an ESM bundle. */
const UNBUNDLED = ['crypt', 'postgres'];
