// Finds the entries of the lock file that fail in another environment. npm leaves out optional
// dependencies that the registry does not show, and npm 11 and newer refuse such a lock file. npm
// also writes the address of the registry that it asked.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const lock = JSON.parse(readFileSync(join(import.meta.dirname, '../package-lock.json'), 'utf8'));
const errors = [];

for (const [path, entry] of Object.entries(lock.packages)) {
  if (!entry.link && entry.resolved !== undefined) errors.push(`${path} is bound to an address: ${entry.resolved}`);
  for (const name of Object.keys(entry.optionalDependencies ?? {})) {
    if (!found(path, name)) errors.push(`${path || 'the root'} names ${name}, which has no entry of its own`);
  }
}

for (const line of errors) console.error(`package-lock.json: ${line}`);
process.exitCode = errors.length > 0 ? 1 : 0;

/** Searches as Node does: the package's own node_modules, then each one further up. */
function found(path, name) {
  for (let at = path; ; at = at.slice(0, Math.max(0, at.lastIndexOf('node_modules/') - 1))) {
    if (lock.packages[`${at ? `${at}/` : ''}node_modules/${name}`] !== undefined) return true;
    if (!at.includes('node_modules/')) return lock.packages[`node_modules/${name}`] !== undefined;
  }
}
