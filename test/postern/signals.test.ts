import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { firstSignal } from '../../packages/postern/src/signals.ts';

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

/** Undoes at the end of the test what is done to the process's signals in it. */
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
  it('are heard all the time: else one that comes right after the first would end the process at once', async () => {
    borrowSignals();
    const counts = () => SIGNALS.map((signal) => process.listenerCount(signal));
    const before = counts();
    const first = firstSignal(process, { tls: undefined, recipients: undefined, ownSenders: undefined });
    process.emit('SIGINT', 'SIGINT');
    expect(counts()).toEqual(before.map((count) => count + 1));
    expect(await first).toBe('SIGINT');
  });

  it('end the process from the second key press on, whichever they are', async () => {
    borrowSignals();
    const done: string[] = [];
    const now = vi.spyOn(performance, 'now').mockReturnValue(5_000);
    vi.spyOn(process, 'exit').mockImplementation(((code: number) => done.push(`exit ${code}`)) as never);
    const first = firstSignal(process, { tls: undefined, recipients: undefined, ownSenders: undefined }, () =>
      done.push('before'),
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

  it('leave SIGHUP to the certificate, if there is one', () => {
    borrowSignals();
    const before = process.listenerCount('SIGHUP');
    void firstSignal(process, {
      tls: { cert: 'cert.pem', key: 'key.pem' },
      recipients: undefined,
      ownSenders: undefined,
    });
    expect(process.listenerCount('SIGHUP')).toBe(before);
  });
});
