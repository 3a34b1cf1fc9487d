import { Identity } from '@postern/cred';
import { digest, httpAuth, scram, splitAuthorization } from '@postern/http';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { basicField, Server } from './server.ts';

test('answers each field with a login or a status', async () => {
  const server = new Server();
  const scheme = fc.constantFrom('Basic ', 'Digest ', 'SCRAM-SHA-256 ', 'Bearer ', '');
  const text = fc.string({ unit: fc.constantFrom(...'=,"\\ \tabnrcsid0:/\u00ff'.split('')) });
  await fc.assert(
    fc.asyncProperty(scheme, text, async (name, rest) => {
      expect(await server.get(name + rest)).toMatch(/^(400|401|403)(\n|$)/);
    }),
    { numRuns: 300 },
  );
});

test('reads what a client writes in Basic', async () => {
  const server = new Server();
  const octets = fc.string({ unit: fc.constantFrom('a', ':', 'é', '€') });
  await fc.assert(
    fc.asyncProperty(octets, async (password) => {
      expect(await server.get(basicField(`ann:${password}`))).toMatch(/^401/);
      expect(await server.get(basicField('ann:secret'))).toBe('ann');
    }),
    { numRuns: 50 },
  );
});

test.each([
  ['no realm', { realm: '' }, 'realm: expected the name'],
  ['a realm with LF', { realm: 'a\nb' }, 'realm: expected the name'],
  ['a scheme twice', { schemes: [digest(), digest()] }, 'two schemes have one name'],
  ['no scheme', { schemes: [] }, 'no checker for any mechanism'],
])('refuses %s', (_name, options, message) => {
  const { portal } = new Server();
  expect(() => httpAuth({ portal, avatar: Identity, realm: 'x', ...options })).toThrow(message);
});

test.each([
  [() => digest({ algorithms: [] }), 'algorithms'],
  [() => digest({ key: new Uint8Array(31) }), 'key'],
  [() => digest({ nonceLifetime: 0 }), 'nonceLifetime'],
  [() => digest({ maxNonces: 0 }), 'maxNonces'],
  [() => scram({ exchangeTimeout: 0 }), 'exchangeTimeout'],
  [() => scram({ maxExchanges: 0 }), 'maxExchanges'],
])('refuses a wrong option: %#', (make, name) => {
  expect(make).toThrow(name);
});

test('splits a field of 1 MiB in linear time', () => {
  expect(splitAuthorization(`Digest ${' '.repeat(2 ** 20)}x`)?.credentials).toBe('x');
});

test('offers the strongest scheme first', async () => {
  const names = [...(await new Server().get()).matchAll(/: ([\w-]+) realm/g)].map(([, name]) => name);
  expect(names).toEqual(['SCRAM-SHA-256', 'Digest', 'Basic']);
});
