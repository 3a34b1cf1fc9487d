import { writeFileSync } from 'node:fs';
import { registerHooks } from 'node:module';

/**
 * Runs before a program (`node --import`). At the program's end writes the URLs of its modules, one
 * a line, into the file `MODULES`.
 */
const urls = [];

registerHooks({
  load(url, context, nextLoad) {
    urls.push(url);
    return nextLoad(url, context);
  },
});
process.on('exit', () => writeFileSync(process.env['MODULES'] ?? '', urls.join('\n')));
