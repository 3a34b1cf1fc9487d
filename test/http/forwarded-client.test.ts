import type { Address } from '@postern/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { forwardedClient } from '../../packages/http/src/node/forwarded-client.ts';

const LOCAL = '127.0.0.1';

describe('a client behind trusted proxies with X-Forwarded fields', () => {
  it.each([
    ['no fields', [], undefined],
    ['an address', ['X-Forwarded-For: 192.0.2.7'], '192.0.2.7'],
    ['an address and TLS', ['X-Forwarded-For: 192.0.2.7', 'X-Forwarded-Proto: https'], '192.0.2.7 TLS'],
    ['another case of letters', ['x-forwarded-for: 192.0.2.7', 'X-FORWARDED-PROTO: HTTPS'], '192.0.2.7 TLS'],
    ['no TLS', ['X-Forwarded-For: 192.0.2.7', 'X-Forwarded-Proto: http'], '192.0.2.7'],
    ['TLS on one of two hops', ['X-Forwarded-For: 192.0.2.7', 'X-Forwarded-Proto: https, http'], '192.0.2.7'],
    ['TLS alone', ['X-Forwarded-Proto: https'], '127.0.0.1 TLS'],
    ['two trusted proxies', ['X-Forwarded-For: 192.0.2.7, 127.0.0.2'], '192.0.2.7'],
    ['a forged address', ['X-Forwarded-For: 127.0.0.9', 'X-Forwarded-For: 192.0.2.7'], '192.0.2.7'],
    ['an untrusted proxy', ['X-Forwarded-For: 198.51.100.1, 192.0.2.7, 127.0.0.2'], '192.0.2.7'],
    ['a hidden address', ['X-Forwarded-For: 192.0.2.7, unknown'], '127.0.0.1'],
    ['garbage of the client', ['X-Forwarded-For: garbage, 192.0.2.7'], '192.0.2.7'],
    ['an empty field', ['X-Forwarded-For: '], undefined],
    ['garbage', ['X-Forwarded-For: 192.0.2.7, garbage'], 'malformed'],
    ['an empty address', ['X-Forwarded-For: 192.0.2.7,'], 'malformed'],
    ['a zone', ['X-Forwarded-For: fe80::1%eth0'], 'fe80::1'],
    ['an address, a zone and a port', ['X-Forwarded-For: [fe80::1%eth0]:4711'], 'fe80::1'],
    ['an address and a port', ['X-Forwarded-For: [2001:db8::7]:4711'], '2001:db8::7'],
    ['Forwarded of the client', ['Forwarded: for=198.51.100.1;proto=https', 'X-Forwarded-For: 192.0.2.7'], '192.0.2.7'],
  ])('%s', (_kind, lines, client) => {
    expect(clientOf(LOCAL, lines)).toBe(client);
  });
});

describe('a client behind trusted proxies with Forwarded', () => {
  it.each([
    ['no field', [], undefined],
    ['an address', ['for=192.0.2.7'], '192.0.2.7'],
    ['an address and TLS', ['For="192.0.2.7:4711";Proto=https;by=203.0.113.1'], '192.0.2.7 TLS'],
    ['IPv6', ['for="[2001:db8::7]:4711";proto=https'], '2001:db8::7 TLS'],
    ['two lines', ['for=198.51.100.1;proto=https', 'for=192.0.2.7'], '192.0.2.7'],
    ['two trusted proxies', ['for=192.0.2.7;proto=https, for=127.0.0.2;proto=https'], '192.0.2.7 TLS'],
    ['TLS on one of two hops', ['for=192.0.2.7;proto=https, for=127.0.0.2;proto=http'], '192.0.2.7'],
    ['a forged address', ['for=127.0.0.9;proto=https,for=192.0.2.7;proto=http'], '192.0.2.7'],
    ['a hidden address', ['for=_hidden;proto=https'], '127.0.0.1 TLS'],
    ['a semicolon at the end', ['for=192.0.2.7;'], '192.0.2.7'],
    ['an obfuscated port', ['for="192.0.2.7:_p"'], '192.0.2.7'],
    ['an address without quotes', ['for=192.0.2.7:4711;proto=https'], 'malformed'],
    ['a text of the client before the proxy’s', ['for="', 'for=192.0.2.7'], 'malformed'],
    ['a text that is no address', ['for=192.0.2'], 'malformed'],
    ['two values of one name', ['for=192.0.2.7;for=198.51.100.1'], 'malformed'],
    ['an unfinished text', ['for="192.0.2.7;proto=https'], 'malformed'],
    ['an empty field', [''], undefined],
  ])('%s', (_kind, values, client) => {
    const lines = values.map((value) => `Forwarded: ${value}`);
    expect(clientOf(LOCAL, lines, 'forwarded')).toBe(client);
  });

  it('reads any octets in linear time, and without an error', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('for=', 'proto=', ';', ',', '"', '\\', ' ', '1', '.', '[', ']', ':', '\t') }),
        (value) => {
          const client = clientOf(LOCAL, [`Forwarded: ${value}`], 'forwarded');
          expect(client).toBeTypeOf(value === '' ? 'undefined' : 'string');
        },
      ),
    );
  });
});

it.each(['x-forwarded', 'forwarded'] as const)('ignores the fields of untrusted peers (%s)', (proxyFields) => {
  const lines = ['X-Forwarded-For: 127.0.0.1', 'X-Forwarded-Proto: https', 'Forwarded: for=127.0.0.1;proto=https'];
  expect(clientOf('192.0.2.7', lines, proxyFields)).toBeUndefined();
});

/** Returns the address of the client, and ` TLS` if the proxies have had TLS. */
function clientOf(
  peer: string,
  lines: readonly string[],
  proxyFields: 'x-forwarded' | 'forwarded' = 'x-forwarded',
): string | undefined {
  const trustProxy = ({ address }: Address): boolean => address.startsWith('127.');
  const rawHeaders = lines.flatMap((line) => {
    const [name = '', ...value] = line.split(': ');
    return [name, value.join(': ')];
  });
  const client = forwardedClient(
    { family: 'IPv4', address: peer, port: 1 },
    { rawHeaders },
    { trustProxy, proxyFields },
  );
  if (client === 'malformed') return client;
  return client && `${client.remote.address}${client.tls === undefined ? '' : ' TLS'}`;
}
