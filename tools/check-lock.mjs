// Says what `npm ci` would trip over elsewhere: npm writes the lock file with optional dependencies missing where it
// cannot see them (npm 11 and later then refuse it), and with the addresses of whichever registry it asked.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const lock = JSON.parse(readFileSync(join(import.meta.dirname, '../package-lock.json'), 'utf8'));
const trouble = [];

for (const [path, entry] of Object.entries(lock.packages)) {
  if (!entry.link && entry.resolved !== undefined) trouble.push(`${path} is bound to an address: ${entry.resolved}`);
  for (const name of Object.keys(entry.optionalDependencies ?? {})) {
    if (!found(path, name)) trouble.push(`${path || 'the root'} names ${name}, which has no entry of its own`);
  }
}

for (const line of trouble) console.error(`package-lock.json: ${line}`);
process.exitCode = trouble.length > 0 ? 1 : 0;

/** Looks where Node looks: in the package's own node_modules, then in each one further up. */
function found(path, name) {
  for (let at = path; ; at = at.slice(0, Math.max(0, at.lastIndexOf('node_modules/') - 1))) {
    if (lock.packages[`${at ? `${at}/` : ''}node_modules/${name}`] !== undefined) return true;
    if (!at.includes('node_modules/')) return lock.packages[`node_modules/${name}`] !== undefined;
  }
}
