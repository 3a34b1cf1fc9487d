import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { npmEnded } from '../../packages/postern/src/signals.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('the end of npm', () => {
  it('shows in a new parent of this process', async () => {
    const process = { env: { npm_lifecycle_event: 'start' }, ppid: 100 };
    const ended = npmEnded(process);
    vi.advanceTimersByTime(10_000);
    expect(vi.getTimerCount()).toBe(1);
    process.ppid = 1;
    vi.advanceTimersByTime(500);
    expect(await ended).toBe('npm ended');
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is not watched unless npm started this process', () => {
    void npmEnded({ env: {}, ppid: 100 });
    expect(vi.getTimerCount()).toBe(0);
  });
});
