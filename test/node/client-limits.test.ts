import { FakeClock } from '@postern/testing';
import { describe, expect, it } from 'vitest';
import { ClientLimits } from '../../packages/node/src/client-limits.ts';

const ANN = '192.0.2.1';
const BOB = '192.0.2.2';

describe('ClientLimits', () => {
  it.each([
    { connections: -1 },
    { maxConnectionsPerClient: Number.NaN },
    { maxConnectionsPerSite: -1 },
    { maxHandshakesPerMinute: Number.NaN },
  ])('rejects %j', (limits) => {
    expect(() => new ClientLimits(limits)).toThrow(RangeError);
  });

  it('keeps no count of a client that has disconnected', () => {
    const limits = new ClientLimits();
    for (const client of [ANN, ANN, BOB, undefined]) limits.addConnection(client);
    expect(limits.clients).toBe(2);
    for (const client of [ANN, BOB, undefined]) limits.removeConnection(client);
    expect(limits.clients).toBe(1);
    limits.removeConnection(ANN);
    expect(limits.clients).toBe(0);
  });

  it('counts the connections of each client', () => {
    const limits = new ClientLimits({ maxConnectionsPerClient: 2 });
    expect([ANN, ANN, ANN, BOB, undefined].map((client) => limits.addConnection(client))).toEqual([
      undefined,
      undefined,
      'connections-per-client',
      undefined,
      undefined,
    ]);
    limits.removeConnection(ANN);
    expect(limits.addConnection(ANN)).toBeUndefined();
  });

  it('counts the connections of a site, by default ten times as many', () => {
    const limits = new ClientLimits({ maxConnectionsPerClient: 1 });
    const networks = Array.from({ length: 11 }, (_, n) => `2001:db8:0:${n.toString(16)}::/64`);
    expect(networks.map((network) => limits.addConnection(network)).filter((limit) => limit !== undefined)).toEqual([
      'connections-per-site',
    ]);
    expect(limits.addConnection('2001:db8:1:0::/64')).toBeUndefined();
    limits.removeConnection('2001:db8:0:0::/64');
    expect(limits.addConnection('2001:db8:0:a::/64')).toBeUndefined();
  });

  it.each([
    ['by default', {}, 3_000],
    ['with more connections for each client', { maxConnectionsPerClient: 1_000 }, 30_000],
    ['with a limit of its own', { maxConnectionsPerClient: 1_000, maxConnectionsPerMinute: 7 }, 7],
  ])('bounds the new connections of a client in a minute: %s', (_when, options, most) => {
    const limits = new ClientLimits(options, new FakeClock());
    let entered = 0;
    while (limits.addConnection(ANN) === undefined) {
      entered++;
      limits.removeConnection(ANN);
    }
    expect(entered).toBe(most);
    expect(limits.addConnection(ANN)).toBe('connections-per-minute');
    expect(limits.addConnection(BOB)).toBeUndefined();
  });

  it('bounds the handshakes of a site to ten times those of a client', () => {
    const limits = new ClientLimits({ maxHandshakesPerMinute: 2 }, new FakeClock());
    const begun = Array.from({ length: 40 }, (_, n) => limits.beginHandshake(`2001:db8:0:${n.toString(16)}::/64`));
    expect(begun.filter((may) => may).length).toBe(20);
    expect(limits.beginHandshake('2001:db8:1:0::/64')).toBe(true);
    limits.failHandshake('2001:db8:1:0::/64');
    expect(limits.beginHandshake('2001:db8:1:0::/64')).toBe(false);
    expect(limits.beginHandshake(undefined)).toBe(true);
  });
});
