import { SocketAddress } from 'node:net';
import type { Address } from '@postern/conversation';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ClientLimits, clientOf } from '../../packages/node/src/client-limits.ts';

describe('clientOf', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:db8:1:2::', '2001:db8:1:2'],
    ['2001:db8::1', '2001:db8:0:0'],
    ['1::2:3:4:5:6:7', '1:0:2:3'],
    ['::1', '0:0:0:0'],
    ['::', '0:0:0:0'],
    ['fe80::1%eth0', 'fe80:0:0:0'],
    ['64:ff9b::192.0.2.33', '64:ff9b:0:0'],
    ['64:ff9b:1:2:3:4:192.0.2.33', '64:ff9b:1:2'],
  ])('takes %s for a client named %s', (address, client) => {
    expect(clientOf({ family: address.includes(':') ? 'IPv6' : 'IPv4', address, port: 25 })).toBe(client);
  });

  it('takes all addresses of a network of 64 bits for one client, and those of others for others', () => {
    const groups = fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 4, maxLength: 4 });
    fc.assert(
      fc.property(groups, groups, groups, groups, (network, other, host, otherHost) => {
        expect(clientOf(ipv6(network, host))).toBe(clientOf(ipv6(network, otherHost)));
        if (network.join() !== other.join())
          expect(clientOf(ipv6(network, host))).not.toBe(clientOf(ipv6(other, host)));
      }),
    );
  });

  it('does not tell UNIX peers apart', () => {
    expect(clientOf({ family: 'unix', address: '/run/socket', port: 0 })).toBeUndefined();
  });
});

describe('ClientLimits', () => {
  it.each([{ connections: -1 }, { connectionsPerClient: Number.NaN }])('cannot be %j', (limits) => {
    expect(() => new ClientLimits(limits)).toThrow(RangeError);
  });

  it('remembers nobody who has left', () => {
    const limits = new ClientLimits();
    for (const client of ['a', 'a', 'b', undefined]) limits.enter(client);
    expect(limits.clients).toBe(2);
    for (const client of ['a', 'b', undefined]) limits.leave(client);
    expect(limits.clients).toBe(1);
    limits.leave('a');
    expect(limits.clients).toBe(0);
  });

  it('counts all, and each client’s', () => {
    const limits = new ClientLimits({ connections: 3, connectionsPerClient: 2 });
    expect(limits.enter('a')).toBeUndefined();
    expect(limits.enter('a')).toBeUndefined();
    expect(limits.enter('a')).toBe('connections-per-client');
    expect(limits.enter('b')).toBeUndefined();
    expect(limits.enter('b')).toBe('connections');
    limits.leave('a');
    expect(limits.enter('a')).toBeUndefined();
    limits.leave('b');
    expect(limits.enter('a')).toBe('connections-per-client');
    expect(limits.enter(undefined)).toBeUndefined();
    expect(limits.enter(undefined)).toBe('connections');
  });
});

/** As the kernel writes it. */
function ipv6(network: readonly number[], host: readonly number[]): Address {
  const text = [...network, ...host].map((group) => group.toString(16)).join(':');
  return { family: 'IPv6', address: new SocketAddress({ address: text, family: 'ipv6' }).address, port: 25 };
}
