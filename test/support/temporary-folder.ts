import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder that `using` removes, as Node's `mkdtempDisposableSync` makes it, which Node 22 lacks. */
export interface TemporaryFolder extends Disposable {
  readonly path: string;
}

/** Makes an empty folder, whose name begins with `postern-` and the given name, in the system's folder for such. */
export function temporaryFolder(name: string): TemporaryFolder {
  const path = mkdtempSync(join(tmpdir(), `postern-${name}-`));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}
