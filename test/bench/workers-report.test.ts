import { expect, test } from 'vitest';
import { formatWorkers, workersSample } from '../../bench/workers-report.ts';

const work = { id: 'f1', title: 'a login', unit: 'login' } as const;
const window = { seconds: 2, messages: 0, bytes: 0, received: 0 };

test('one worker could do its operations in its own processor time', () => {
  const sample = workersSample('login', { ...window, sessions: 1_000, cpu: [0.5] }, 1);
  expect(sample).toEqual({ rate: 500, cost: 500, busiest: 1, capacity: 2_000 });
});

test('the busiest of two workers bounds what both could do', () => {
  const sample = workersSample('login', { ...window, sessions: 1_000, cpu: [0, 0.3, 0.2] }, 2);
  expect(sample.busiest).toBeCloseTo(0.6);
  expect(sample.capacity).toBeCloseTo(1_000 / 0.3);
});

test("the supervisor's time is a part of both cores' time", () => {
  const sample = workersSample('login', { ...window, sessions: 1_000, cpu: [0.2, 0.25, 0.25] }, 2);
  expect(sample.cost).toBeCloseTo(700);
  expect(sample.capacity).toBeCloseTo(1_000 / 0.35);
});

test('shared cores are judged by the computed rate, and cores of their own by the clock', () => {
  const samples = {
    1: [{ rate: 100, cost: 500, busiest: 1, capacity: 2_000 }],
    2: [{ rate: 120, cost: 520, busiest: 0.52, capacity: 3_800 }],
  };
  const cells = (isShared: boolean) => formatWorkers(work, samples, isShared).split('\n').at(-1)?.trim().split(/ {2,}/);
  expect(cells(true)).toEqual([
    '--workers 2',
    '120 (120–120)',
    '1.20 (1.20–1.20)',
    '–',
    '520.0 (520.0–520.0)',
    '52 %',
    '3800 (3800–3800)',
    '1.90 (1.90–1.90)',
    '✓ 1.80',
  ]);
  expect(cells(false)?.[3]).toBe('✗ 1.80');
  expect(cells(false)?.[8]).toBe('–');
});
