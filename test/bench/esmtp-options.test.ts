import { describe, expect, test } from 'vitest';
import { readEsmtpOptions } from '../../bench/esmtp-options.ts';

describe('without options', () => {
  const options = readEsmtpOptions([]);

  test('each server has two windows, and no other revision is built', () => {
    expect(options).toMatchObject({ rounds: 3, warmUp: 2_000, measure: 1_500, steady: 10_000, against: undefined });
    expect(options.servers).toEqual(['command', 'library', 'smtp-server', 'bare']);
    expect(['a', 'e1', 'g-tls', 't3'].every(options.wanted)).toBe(true);
  });
});

test('--against adds the server of the other revision', () => {
  const { against, servers } = readEsmtpOptions(['--against', 'HEAD~2']);
  expect(against).toBe('HEAD~2');
  expect(servers).toContain('before');
  expect(readEsmtpOptions(['--against', 'HEAD~2', '--servers', 'command']).servers).toEqual(['command', 'before']);
});

test('--quick compares with the revision before, in one window and one round of the other servers', () => {
  const options = readEsmtpOptions(['--quick']);
  expect(options).toMatchObject({ against: 'auto', rounds: 3, roundsOfOthers: 1, steady: undefined });
  expect(options.servers).toEqual(['command', 'before', 'smtp-server', 'bare']);
  expect(readEsmtpOptions(['--quick', '--against', 'none']).servers).not.toContain('before');
});

test('--only takes works and groups of works, and --steady 0 leaves the second window out', () => {
  const { wanted, steady } = readEsmtpOptions(['--only', 'a,e,g-tls', '--steady', '0', '--seconds', '0.5']);
  expect(['a', 'b', 'e1', 'e3', 'g', 'g-tls', 't1'].filter(wanted)).toEqual(['a', 'e1', 'e3', 'g-tls']);
  expect(steady).toBeUndefined();
});

test.each([
  [
    ['--servers', 'postern'],
    '--servers: expected command, before, library, before-library, smtp-server, bare, not postern',
  ],
  [['--rounds', '0'], '--rounds: expected a number above 0, not 0'],
  [['--steady', 'x'], '--steady: expected a number above 0, not x'],
])('%j is refused', (args, message) => {
  expect(() => readEsmtpOptions(args)).toThrow(message);
});
