import { expect, test } from 'vitest';
import { costTable, type ReportOptions, type Result, ratioTable, warnAbove, warnings } from '../../bench/report.ts';
import { type Rounds, sampleOf } from '../../bench/sample.ts';
import type { ServerName } from '../../bench/server-names.ts';
import { spread } from '../../bench/statistics.ts';
import type { Work } from '../../bench/works.ts';

const work: Work = {
  id: 'a',
  title: 'a session',
  load: 'session',
  unit: 'session',
  connections: 64,
  asked: { baseline: 0.62, smtpServer: 1.5 },
};

const options: ReportOptions = { windows: ['after 2 s', 'after 10 s'], before: '13e3f6e', isBaseline: true };

/** Each round of a server as the cost and the rate in both windows. */
type Round = readonly [cost: number, rate: number, steadyCost: number, steadyRate: number];

function rounds(all: readonly (Round | undefined)[]): Rounds {
  return all.map((round) => {
    if (round === undefined) return [];
    const [cost, rate, steadyCost, steadyRate] = round;
    return [
      { cost, rate, busy: 0.98 },
      { cost: steadyCost, rate: steadyRate, busy: 1 },
    ];
  });
}

function result(
  servers: Partial<Record<ServerName, (Round | undefined)[]>>,
  failures: [ServerName, string][] = [],
): Result {
  const all = Object.entries(servers).map(([name, of]): [ServerName, Rounds] => [name as ServerName, rounds(of)]);
  return { work, measured: { rounds: new Map(all), failures: new Map(failures) } };
}

const good = result({
  command: [
    [300, 3000, 200, 5000],
    [310, 2900, 210, 4900],
    [600, 1500, 220, 4700],
  ],
  before: [
    [500, 1900, 250, 4000],
    [500, 1800, 300, 3000],
    [1000, 900, 300, 3000],
  ],
  'smtp-server': [
    [520, 1900, 320, 3300],
    [520, 1900, 320, 3300],
    [990, 1050, 320, 3200],
  ],
});

test('the cost table shows each server with the spread of its cost and the medians of rate and load', () => {
  const rows = costTable(good, options)
    .split('\n')
    .map((line) => line.trim().split(/ {2,}/));
  expect(rows[0]).toEqual([
    'a a session',
    'after 2 s: CPU µs/session',
    'sessions/s',
    'busy',
    'after 10 s: CPU µs/session',
    'sessions/s',
    'busy',
  ]);
  expect(rows[2]).toEqual(['command', '310.0 (300.0–600.0)', '2,900', '98 %', '210.0 (200.0–220.0)', '4,900', '100 %']);
  expect(rows[3]?.[0]).toBe('before (13e3f6e)');
  expect(rows).toHaveLength(5);
});

test('the ratio table compares round by round, and judges both windows', () => {
  const rows = ratioTable([good], options)
    .split('\n')
    .slice(2)
    .map((line) => line.split(/ {2,}/));
  expect(rows).toEqual([
    ['a after 2 s', '0.60 (0.60–0.62)', '✓ ≤ 0.62', '1.53 (1.43–1.58)', '✓ ≥ 1.50', '–'],
    ['a after 10 s', '0.73 (0.70–0.80)', '✗ ≤ 0.62', '1.48 (1.47–1.52)', '✗ ≥ 1.50', '–'],
  ]);
});

test('a steady work has the first window alone, in MiB/s where it counts octets', () => {
  const bulk = { ...good, work: { ...work, unit: 'MiB', isSteady: true } as const };
  expect(costTable(bulk, options)).toMatch(/^a a session +after 2 s: CPU µs\/MiB +MiB\/s +busy\n/);
  expect(ratioTable([bulk], options).split('\n')).toHaveLength(3);
});

test('any other revision than the baseline is asked to cost no more than a tenth', () => {
  const row = ratioTable([good], { ...options, isBaseline: false })
    .split('\n')
    .at(-1);
  expect(row).toContain('✓ ≤ 1.10');
});

test('a failed round counts for no ratio, and its reason is printed', () => {
  const failed = result(
    {
      command: [undefined, [400, 3000, 200, 5000]],
      before: [
        [100, 1, 100, 1],
        [500, 1, 250, 1],
      ],
      bare: [undefined, undefined],
    },
    [
      ['command', 'expected 250, heard 421'],
      ['bare', 'gone'],
    ],
  );
  const text = costTable(failed, options);
  expect(text).toContain('FAILED command in 1 of 2 rounds: expected 250, heard 421');
  expect(text).toContain('FAILED bare in 2 of 2 rounds: gone');
  expect(text).toMatch(/bare +failed +– +– +failed/);
  expect(ratioTable([failed], options)).toContain('0.80 (0.80–0.80)');
});

test('a work without another revision has no ratio to it and no warning', () => {
  const alone = result({ command: [[300, 3000, 200, 5000]] });
  expect(ratioTable([alone], options).split('\n')[2]).toMatch(/^a after 2 s +– +– +– +– +–$/);
  expect(warnings([alone], options)).toEqual([]);
});

test('a median of more than a tenth above the revision before prints a warning for that window', () => {
  const worse = result({
    command: [
      [109, 1, 112, 1],
      [200, 1, 111, 1],
      [110, 1, 111, 1],
    ],
    before: [
      [100, 1, 100, 1],
      [100, 1, 100, 1],
      [100, 1, 100, 1],
    ],
  });
  expect(warnings([worse], options)).toEqual([
    'WARNING a, after 10 s: CPU time per session is 1.11 (1.11–1.12) of 13e3f6e',
  ]);
  expect(warnAbove('g', spread([1.1]), 'before')).toEqual([]);
});

test('a sample divides processor time and clock by the operations of the unit', () => {
  const window = { seconds: 2, sessions: 100, messages: 400, bytes: 8 * 2 ** 20, received: 100, cpu: [0.5, 1] };
  expect(sampleOf({ unit: 'session' }, window)).toEqual({ cost: 15_000, rate: 50, busy: 0.75 });
  expect(sampleOf({ unit: 'message' }, window)).toEqual({ cost: 3_750, rate: 200, busy: 0.75 });
  expect(sampleOf({ unit: 'MiB' }, window)).toEqual({ cost: 187_500, rate: 4, busy: 0.75 });
  const retrieved = { ...window, bytes: 100, received: 8 * 2 ** 20 };
  expect(sampleOf({ unit: 'MiB' }, retrieved)).toEqual({ cost: 187_500, rate: 4, busy: 0.75 });
  expect(() => sampleOf({ unit: 'login' }, { ...window, sessions: 0 })).toThrow('no login in 2.0 s');
});
