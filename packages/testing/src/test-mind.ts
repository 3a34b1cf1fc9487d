import type { Mind } from '@postern/cred';

/** A mind for tests: a client on another machine, without TLS, of whom nothing is known but what is given. */
export function testMind(facts: Partial<Mind> = {}): Mind {
  return {
    protocol: 'smtp',
    remote: { family: 'IPv4', address: '192.0.2.1', port: 40_000 },
    local: { family: 'IPv4', address: '192.0.2.25', port: 587 },
    tls: undefined,
    clientName: undefined,
    signal: new AbortController().signal,
    store: new Map(),
    ...facts,
  };
}
