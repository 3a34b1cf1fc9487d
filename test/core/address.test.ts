import { SocketAddress } from 'node:net';
import { isLocal, networkOf, siteOf } from '@postern/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

describe('isLocal', () => {
  it.each([
    ['IPv4', '127.0.0.1', true],
    ['IPv4', '127.8.8.8', true],
    ['IPv6', '::1', true],
    ['IPv6', '0:0:0:0:0:0:0:1', true],
    ['IPv6', '::1%lo', true],
    ['IPv6', '::ffff:127.0.0.1', true],
    ['IPv6', '::FFFF:7F00:1', true],
    ['unix', '', true],
    ['unix', '/run/postern.sock', true],
    ['IPv4', '192.0.2.1', false],
    ['IPv4', '10.127.0.1', false],
    ['IPv4', '128.0.0.1', false],
    ['IPv6', '::', false],
    ['IPv6', '2001:db8::1', false],
    ['IPv6', '1::1', false],
    ['IPv6', '::ffff:192.0.2.127', false],
    ['IPv6', 'fe80::127.0.0.1', false],
    ['IPv6', '64:ff9b::127.0.0.1', false],
  ] as const)('of %s %s is %s', (family, address, local) => {
    expect(isLocal({ family, address })).toBe(local);
  });
});

describe('networkOf', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::FFFF:C000:201', '192.0.2.1'],
    ['0:0:0:0:0:ffff:c000:0201', '192.0.2.1'],
    ['64:ff9b::192.0.2.33', '192.0.2.33'],
    ['0064:ff9b::c000:221', '192.0.2.33'],
    ['::ffff:255.255.255.255', '255.255.255.255'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['1::2:3:4:5:6:7', '1:0:2:3::/64'],
    ['::1', '0:0:0:0::/64'],
    ['::', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['fe80::1%a:b::c', 'fe80:0:0:0::/64'],
    ['64:ff9b:1:2:3:4:192.0.2.33', '64:ff9b:1:2::/64'],
    ['::192.0.2.1', '0:0:0:0::/64'],
    ['::ffff:0:192.0.2.1', '0:0:0:0::/64'],
  ])('of %s is %s', (address, network) => {
    expect(networkOf({ family: address.includes(':') ? 'IPv6' : 'IPv4', address })).toBe(network);
  });

  it('is undefined for UNIX sockets', () => {
    expect(networkOf({ family: 'unix', address: '/run/a:b' })).toBeUndefined();
  });

  it('is equal for all spellings of the addresses of one /64, and differs for another /64', () => {
    fc.assert(
      fc.property(four, four, four, four, spelling, spelling, (network, other, host, otherHost, a, b) => {
        fc.pre(network.slice(0, 4).join() !== '0,0,0,0' && network.join() !== [0x64, 0xff9b, 0, 0].join());
        const name = networkOf(ipv6(spell([...network, ...host], a)));
        expect(networkOf(ipv6(spell([...network, ...otherHost], b)))).toBe(name);
        if (network.join() !== other.join()) {
          expect(networkOf(ipv6(spell([...other, ...host], a)))).not.toBe(name);
        }
      }),
    );
  });

  it('is the embedded IPv4 address, in all spellings of both prefixes', () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.constantFrom(MAPPED, NAT64), spelling, (address, prefix, how) => {
        const [a = 0, b = 0, c = 0, d = 0] = address.split('.').map(Number);
        const groups = [...prefix, a * 256 + b, c * 256 + d];
        expect(networkOf(ipv6(spell(groups, how)))).toBe(address);
        expect(networkOf(ipv6(spell(groups, { ...how, dotted: true })))).toBe(address);
      }),
    );
  });

  it('is equal for an address in the notation of Node', () => {
    fc.assert(
      fc.property(four, four, spelling, (network, host, how) => {
        const text = spell([...network, ...host], { ...how, zone: '' });
        const written = new SocketAddress({ address: text, family: 'ipv6' }).address;
        expect(networkOf(ipv6(written))).toBe(networkOf(ipv6(text)));
      }),
    );
  });
});

describe('siteOf', () => {
  it('is the /48 of IPv6, and undefined for IPv4', () => {
    expect(siteOf('2001:db8:0:1::/64')).toBe('2001:db8:0::/48');
    expect(siteOf('192.0.2.1')).toBeUndefined();
  });

  it('is equal only for networks with equal first 48 bits', () => {
    fc.assert(
      fc.property(four, four, (network, other) => {
        const site = (groups: readonly number[]) =>
          siteOf(`${groups.map((group) => group.toString(16)).join(':')}::/64`);
        expect(site(network) === site(other)).toBe(network.slice(0, 3).join() === other.slice(0, 3).join());
      }),
    );
  });
});

interface Spelling {
  readonly upper: boolean;
  readonly padded: boolean;
  readonly dotted: boolean;
  /** The index of the run of zeros that becomes `::`, counted from the left. */
  readonly compressed: number;
  readonly zone: string;
}

const group = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff }));
const four = fc.array(group, { minLength: 4, maxLength: 4 });
const spelling: fc.Arbitrary<Spelling> = fc.record({
  upper: fc.boolean(),
  padded: fc.boolean(),
  dotted: fc.boolean(),
  compressed: fc.nat(4),
  zone: fc.constantFrom('', '%1', '%eth0', '%a:b'),
});
const MAPPED = [0, 0, 0, 0, 0, 0xffff];
const NAT64 = [0x64, 0xff9b, 0, 0, 0, 0];

/** Returns one spelling of an IPv6 address (RFC 4291 §2.2). */
function spell(groups: readonly number[], { upper, padded, dotted, compressed, zone }: Spelling): string {
  const texts = groups.map((number) => number.toString(16).padStart(padded ? 4 : 1, '0'));
  if (dotted) {
    const octets = groups.slice(6).flatMap((number) => [number >> 8, number & 0xff]);
    texts.splice(6, 2, octets.join('.'));
  }
  const runs = Array.from(texts.join(' ').matchAll(/(?<![^ ])0+(?: 0+)*(?![^ ])/g));
  const run = runs[compressed];
  const text =
    run === undefined
      ? texts.join(':')
      : [texts.join(' ').slice(0, run.index), texts.join(' ').slice(run.index + run[0].length)]
          .map((part) => part.trim().replaceAll(' ', ':'))
          .join('::');
  return (upper ? text.toUpperCase() : text) + zone;
}

function ipv6(address: string) {
  return { family: 'IPv6', address } as const;
}
