// Checks the fields of each package.json that the registry shows on the package's page:
// description, keywords, homepage, bugs, repository, licence.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const PROJECT = 'https://github.com/postern-mail/postern';
const root = join(import.meta.dirname, '..');
const errors = [];

for (const folder of readdirSync(join(root, 'packages')).sort()) {
  const manifest = JSON.parse(readFileSync(join(root, 'packages', folder, 'package.json'), 'utf8'));
  const directory = `packages/${folder}`;
  const expect = (field, value) => {
    const actual = JSON.stringify(manifest[field]);
    if (actual !== JSON.stringify(value))
      errors.push(`${directory}: ${field} is ${actual}, not ${JSON.stringify(value)}`);
  };
  expect('homepage', `${PROJECT}/tree/main/${directory}#readme`);
  expect('bugs', `${PROJECT}/issues`);
  expect('repository', { type: 'git', url: `git+${PROJECT}.git`, directory });
  expect('license', 'MIT');
  // A package that is packed before a build would contain no code without this script.
  expect('scripts', { prepack: 'node ../../tools/prepack.mjs' });
  if (!manifest.description) errors.push(`${directory}: description is missing`);
  if (!(manifest.keywords?.length >= 3)) errors.push(`${directory}: keywords has fewer than 3 words`);
}

for (const error of errors) console.error(error);
process.exitCode = errors.length > 0 ? 1 : 0;
