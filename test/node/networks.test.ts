import { networks } from '@postern/node';
import { describe, expect, it } from 'vitest';

const v4 = (address: string) => ({ family: 'IPv4', address, port: 25 }) as const;
const v6 = (address: string) => ({ family: 'IPv6', address, port: 25 }) as const;
const unix = { family: 'unix', address: '', port: 0 } as const;

describe('a list of networks', () => {
  const among = networks(['192.0.2.1', '10.0.0.0/8', '2001:db8::/32', 'unix']);

  it.each([v4('192.0.2.1'), v4('10.255.0.1'), v6('2001:db8:1::1'), v6('::ffff:10.1.2.3'), v6('::ffff:a01:203'), unix])(
    'has %j',
    (peer) => {
      expect(among(peer)).toBe(true);
    },
  );

  // A translated address belongs to the translator's client, and not to the machine whose address
  // is inside: a list of trusted peers must not match it.
  it.each([v4('192.0.2.2'), v4('11.0.0.1'), v6('2001:db9::1'), v6('::1'), v6('64:ff9b::10.1.2.3')])(
    'does not have %j',
    (peer) => {
      expect(among(peer)).toBe(false);
    },
  );

  it('matches no peer if it is empty, and UNIX sockets only with `unix`', () => {
    expect([v4('127.0.0.1'), v6('::1'), unix].map(networks([]))).toEqual([false, false, false]);
    expect(networks(['0.0.0.0/0', '::/0'])(unix)).toBe(false);
  });

  it.each(['localhost', '10.0.0.0/33', '10.0.0.0/', '10.0.0.0/8/8', '::1/129', '', '10.0.0'])(
    'cannot have %j',
    (text) => {
      expect(() => networks([text])).toThrow(`${text} is neither an address nor a network`);
    },
  );
});
