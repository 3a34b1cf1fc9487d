import { Warnings } from '@postern/conversation';
import { FakeClock } from '@postern/testing';
import { afterEach, beforeEach, describe, expect, type MockInstance, test, vi } from 'vitest';

describe('Warnings', () => {
  let emitted: MockInstance<typeof process.emitWarning>;
  beforeEach(() => {
    emitted = vi.spyOn(process, 'emitWarning').mockReturnValue();
  });
  afterEach(() => {
    emitted.mockRestore();
  });
  const texts = (): string[] => emitted.mock.calls.map(([warning]) => (warning as Error).message);

  test('carry the error as the cause and its stack as the detail that Node prints', () => {
    const cause = new Error('outer', { cause: new Error('no such table') });
    new Warnings(new FakeClock()).warn('smtp: AUTH failed', cause);
    expect(emitted).toHaveBeenCalledExactlyOnceWith(
      expect.objectContaining({ name: 'PosternWarning', message: 'smtp: AUTH failed: outer: no such table', cause }),
    );
    const [warning] = emitted.mock.calls[0] as unknown as [{ detail: string }];
    expect(warning.detail).toContain('warnings.test.ts');
  });

  test('are emitted once a minute and say how many were omitted', async () => {
    const clock = new FakeClock();
    const warnings = new Warnings(clock);
    for (let times = 0; times < 1_000; times++) warnings.warn('smtp: AUTH failed', new Error('down'));
    expect(texts()).toEqual(['smtp: AUTH failed: down']);
    await clock.advance(60_000);
    warnings.warn('smtp: AUTH failed', new Error('down'));
    expect(texts()[1]).toBe('smtp: AUTH failed: down (999 warnings before this one are omitted)');
  });

  test('are limited to ten a minute, with any text that a peer chooses', () => {
    const warnings = new Warnings(new FakeClock());
    for (let times = 0; times < 1_000; times++) warnings.warn('failed', new Error(`${times}${'x'.repeat(10_000)}`));
    expect(texts()).toHaveLength(10);
    expect(Math.max(...texts().map(({ length }) => length))).toBeLessThanOrEqual(500);
  });

  test('accept causes that cannot be inspected, and a cause that is its own cause', () => {
    const circle = new Error('round');
    circle.cause = circle;
    const hostile = new Proxy(
      {},
      {
        get() {
          throw new Error('no');
        },
      },
    );
    const warnings = new Warnings(new FakeClock());
    for (const cause of [circle, hostile, undefined, null, Object.create(null)]) warnings.warn('failed', cause);
    expect(texts()[0]).toBe('failed: round');
    expect(texts()).toHaveLength(5);
  });
});
