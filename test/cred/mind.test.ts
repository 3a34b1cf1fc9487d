import { isLocal } from '@postern/cred';
import { expect, it } from 'vitest';

it.each([
  ['IPv4', '127.0.0.1', true],
  ['IPv4', '127.8.8.8', true],
  ['IPv6', '::1', true],
  ['IPv6', '::ffff:127.0.0.1', true],
  ['unix', '', true],
  ['unix', '/run/postern.sock', true],
  ['IPv4', '192.0.2.1', false],
  ['IPv4', '10.127.0.1', false],
  ['IPv4', '128.0.0.1', false],
  ['IPv6', '::', false],
  ['IPv6', '2001:db8::1', false],
  ['IPv6', '::ffff:192.0.2.127', false],
  ['IPv6', 'fe80::127.0.0.1', false],
] as const)('%s %s is this machine: %s', (family, address, local) => {
  expect(isLocal({ family, address, port: 1 })).toBe(local);
});
