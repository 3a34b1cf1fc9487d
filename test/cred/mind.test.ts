import { DelegatingMind, type Mind } from '@postern/cred';
import { testMind } from '@postern/testing';
import { expect, test } from 'vitest';

test('DelegatingMind passes every property of the mind on', () => {
  const exchange: Mind['exchange'] = { mechanism: 'PLAIN', ask: () => Promise.reject(new Error('not asked')) };
  const disconnection = { addDisconnectListener: () => {}, removeDisconnectListener: () => {} };
  const mind = { ...testMind({ clientName: 'client.example.org' }), exchange, disconnection };
  const delegating = new DelegatingMind(mind);
  const properties = [
    'protocol',
    'remote',
    'local',
    'tls',
    'clientName',
    'exchange',
    'signal',
    'disconnection',
    'store',
  ] as const;
  for (const property of properties) expect(delegating[property], property).toBe(mind[property]);
});

test('DelegatingMind reports a disconnect that only the signal of the mind reports', () => {
  const connection = new AbortController();
  const delegating = new DelegatingMind(testMind({ signal: connection.signal }));
  expect(delegating.disconnected).toBe(false);
  connection.abort();
  expect(delegating.disconnected).toBe(true);
});
