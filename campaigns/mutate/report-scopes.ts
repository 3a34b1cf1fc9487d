// A setup file of the tests: adds a line of JSON with the scopes that a test file has run.
import { appendFileSync } from 'node:fs';
import { relative } from 'node:path';
import { afterAll, expect } from 'vitest';

const scopes = new Set<string>();
Object.assign(globalThis, { reportScope: (scope: string) => scopes.add(scope) });
afterAll(() => {
  const test = relative(process.cwd(), expect.getState().testPath ?? '');
  const line = { test, scopes: [...scopes] };
  appendFileSync(process.env['SCOPES'] ?? '', `${JSON.stringify(line)}\n`);
});
