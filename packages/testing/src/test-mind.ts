import type { Mind } from '@postern/cred';

/**
 * Returns a mind for tests: an SMTP client on another machine, without TLS and without a name.
 * `properties` replace its defaults.
 *
 * @example
 * ```ts
 * import { testMind } from '@postern/testing';
 *
 * const mind = testMind({ clientName: 'client.example.org' });
 * ```
 */
export function testMind(properties: Partial<Mind> = {}): Mind {
  return {
    protocol: 'smtp',
    remote: { family: 'IPv4', address: '192.0.2.1', port: 40_000 },
    local: { family: 'IPv4', address: '192.0.2.25', port: 587 },
    tls: undefined,
    clientName: undefined,
    signal: new AbortController().signal,
    store: new Map(),
    ...properties,
  };
}
