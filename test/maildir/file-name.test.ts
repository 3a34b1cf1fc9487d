import { afterEach, describe, expect, it, vi } from 'vitest';
import { uniqueName } from '../../packages/maildir/src/file-name.ts';

afterEach(() => void vi.useRealTimers());

describe('a unique name', () => {
  it('begins with the current time, also long after the start', () => {
    vi.useFakeTimers({ toFake: ['Date'], now: new Date('2031-05-04T03:02:01.678Z') });
    expect(uniqueName()).toMatch(/^1935630121\.M678000P\d+R[0-9a-f]{16}\.[^/:]+$/);
  });

  it('differs when the clock stands still or goes back', () => {
    vi.useFakeTimers({ toFake: ['Date'], now: 5_000 });
    const names = Array.from({ length: 1_000 }, () => uniqueName());
    vi.setSystemTime(4_000);
    names.push(uniqueName());
    vi.setSystemTime(5_000);
    names.push(uniqueName());
    expect(new Set(names).size).toBe(1_002);
  });
});
