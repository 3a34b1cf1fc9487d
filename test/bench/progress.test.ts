import { afterEach, expect, test } from 'vitest';
import { failOn } from '../../bench/progress.ts';
import type { ServerName } from '../../bench/server-names.ts';

const before = process.exitCode;
afterEach(() => {
  process.exitCode = before;
});

test.each<[ServerName, number | undefined]>([
  ['command', 1],
  ['library', 1],
  ['bare', 1],
  ['before', undefined],
  ['smtp-server', undefined],
])('a failure of %s sets the exit code to %s', (name, code) => {
  process.exitCode = undefined;
  failOn(new Map([[name, 'no MiB in 0.4 s']]));
  expect(process.exitCode).toBe(code);
});
