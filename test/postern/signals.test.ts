import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { firstSignal } from '../../packages/postern/src/signals.ts';

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

/** Removes the signal listeners of the test at its end. */
function borrowSignals(): void {
  const before = SIGNALS.map((signal) => process.listeners(signal));
  onTestFinished(() => {
    for (const [at, signal] of SIGNALS.entries()) {
      const listeners = process.listeners(signal).filter((listener) => !before[at]?.includes(listener));
      for (const listener of listeners) process.off(signal, listener);
    }
    vi.restoreAllMocks();
  });
}

describe('signals', () => {
  it('keep their listeners, since a second signal without one would end the process', async () => {
    borrowSignals();
    const counts = () => SIGNALS.map((signal) => process.listenerCount(signal));
    const before = counts();
    const first = firstSignal(process, { tls: undefined, recipients: undefined, ownSenders: undefined, checkers: [] });
    process.emit('SIGINT', 'SIGINT');
    expect(counts()).toEqual(before.map((count) => count + 1));
    expect(await first).toBe('SIGINT');
  });

  it('end the process at the second key press, whatever the signal', async () => {
    borrowSignals();
    const done: string[] = [];
    const now = vi.spyOn(performance, 'now').mockReturnValue(5_000);
    vi.spyOn(process, 'exit').mockImplementation(((code: number) => done.push(`exit ${code}`)) as never);
    const first = firstSignal(
      process,
      { tls: undefined, recipients: undefined, ownSenders: undefined, checkers: [] },
      () => done.push('before'),
    );
    process.emit('SIGINT', 'SIGINT');
    now.mockReturnValue(6_000);
    process.emit('SIGINT', 'SIGINT');
    expect(done).toEqual([]);
    now.mockReturnValue(6_001);
    process.emit('SIGTERM', 'SIGTERM');
    expect(done).toEqual(['before', 'exit 1']);
    expect(await first).toBe('SIGINT');
  });

  it('leave SIGHUP to the reload of a certificate', () => {
    borrowSignals();
    const before = process.listenerCount('SIGHUP');
    void firstSignal(process, {
      tls: { cert: 'cert.pem', key: 'key.pem' },
      recipients: undefined,
      ownSenders: undefined,
      checkers: [],
    });
    expect(process.listenerCount('SIGHUP')).toBe(before);
  });
});
