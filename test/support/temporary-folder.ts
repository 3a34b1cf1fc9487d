import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder that `using` removes. Node 22 lacks `mkdtempDisposableSync`. */
export interface TemporaryFolder extends Disposable {
  readonly path: string;
}

/**
 * Makes an empty folder in the system's temporary folder. The folder's name begins with
 * `postern-NAME-`.
 */
export function temporaryFolder(name: string): TemporaryFolder {
  const path = mkdtempSync(join(tmpdir(), `postern-${name}-`));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}
