import type { Address, Clock, Mind } from '@postern/cred';

/** A client's mind, from documentation addresses, that leaves when the test says so. */
export function mindOf(remote: Partial<Address> = {}, signal: AbortSignal = new AbortController().signal): Mind {
  return {
    protocol: 'smtp',
    remote: { family: 'IPv4', address: '192.0.2.1', port: 40000, ...remote },
    local: { family: 'IPv4', address: '192.0.2.25', port: 587 },
    tls: undefined,
    clientName: 'client.example',
    signal,
    store: new Map(),
  };
}

/** A clock that stands still until it is told to go on. */
export class TestClock implements Clock {
  #now = 0;
  readonly #timers = new Set<{ readonly at: number; readonly callback: () => void }>();

  now(): number {
    return this.#now;
  }

  after(milliseconds: number, callback: () => void): Disposable {
    const timer = { at: this.#now + milliseconds, callback };
    this.#timers.add(timer);
    return { [Symbol.dispose]: () => void this.#timers.delete(timer) };
  }

  /** Timers that wait. */
  get pending(): number {
    return this.#timers.size;
  }

  pass(milliseconds: number): void {
    this.#now += milliseconds;
    for (const timer of [...this.#timers].sort((a, b) => a.at - b.at)) {
      if (timer.at > this.#now || !this.#timers.delete(timer)) continue;
      timer.callback();
    }
  }
}

/** Lets everything go on that waits for nothing but its turn. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}
