import { type Endpoint, formatEndpoint, isLocalOnly, parseEndpoint } from '@postern/node';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyCharacter } from '../support/any-character.ts';

const PORTS = new Map([
  ['smtp', 25],
  ['smtps', 465],
]);

describe('parseEndpoint', () => {
  it.each<[string, Endpoint]>([
    ['smtp://127.0.0.1:2500', { scheme: 'smtp', host: '127.0.0.1', port: 2500 }],
    ['smtp://127.0.0.1:0', { scheme: 'smtp', host: '127.0.0.1', port: 0 }],
    ['smtps://mail.example.com', { scheme: 'smtps', host: 'mail.example.com', port: 465 }],
    ['SMTP://localhost/', { scheme: 'smtp', host: 'localhost', port: 25 }],
    ['smtp://[::1]:2500', { scheme: 'smtp', host: '::1', port: 2500 }],
    ['smtp://[2001:db8::1]', { scheme: 'smtp', host: '2001:db8::1', port: 25 }],
    ['smtp://*:2500', { scheme: 'smtp', host: '*', port: 2500 }],
    ['lmtp+unix:/run/postern/lmtp', { scheme: 'lmtp', path: '/run/postern/lmtp' }],
    ['lmtp+unix:///run/lmtp', { scheme: 'lmtp', path: '/run/lmtp' }],
    ['lmtp+unix:run/with%20space%3F', { scheme: 'lmtp', path: 'run/with space?' }],
  ])('parses %s', (url, endpoint) => {
    expect(parseEndpoint(url, PORTS)).toEqual({ ...endpoint, parameters: new URLSearchParams() });
  });

  it('parses the query parameters', () => {
    const { parameters, ...endpoint } = parseEndpoint('smtp://localhost:25?tls=required&auth=optional');
    expect(endpoint).toEqual({ scheme: 'smtp', host: 'localhost', port: 25 });
    expect([...parameters]).toEqual([
      ['tls', 'required'],
      ['auth', 'optional'],
    ]);
    expect(parseEndpoint('lmtp+unix:/run/lmtp?mode=660').parameters.get('mode')).toBe('660');
  });

  it.each([
    ['', 'expected scheme://host:port'],
    ['localhost:25', 'expected scheme://host:port'],
    ['smtp://', 'expected scheme://host:port'],
    ['smtp://:25', 'expected scheme://host:port'],
    ['smtp://localhost:25/mail', 'expected scheme://host:port'],
    ['smtp://joe@localhost:25', 'expected scheme://host:port'],
    ['smtp://::1:25', 'expected scheme://host:port'],
    ['smtp://local host:25', 'expected scheme://host:port'],
    ['smtp://localhost:2x', 'expected scheme://host:port'],
    ['smtp://[localhost]:25', 'localhost is not an IPv6 address'],
    ['smtp://[127.0.0.1]:25', '127.0.0.1 is not an IPv6 address'],
    ['smtp://localhost:65536', '65536 is not a port'],
    ['pop3://localhost', 'the port is missing'],
    ['lmtp+unix:', 'expected scheme://host:port'],
    ['lmtp+unix:/run/%', 'a % stands before two hexadecimal digits'],
  ])('rejects %j with a reason', (url, why) => {
    expect(() => parseEndpoint(url, PORTS)).toThrow(TypeError);
    expect(() => parseEndpoint(url, PORTS)).toThrow(why);
    expect(() => parseEndpoint(url, PORTS)).toThrow(url);
  });

  it('rejects any other text with a TypeError', () => {
    fc.assert(
      fc.property(fc.string(), (url) => {
        try {
          parseEndpoint(url);
        } catch (error) {
          expect(error).toBeInstanceOf(TypeError);
        }
      }),
    );
  });
});

describe('formatEndpoint', () => {
  it('is the inverse of parseEndpoint', () => {
    const scheme = fc.constantFrom('smtp', 'smtps', 'lmtp');
    const host = fc.oneof(fc.domain(), fc.ipV4(), fc.ipV6(), fc.constant('*'));
    const tcp = fc.record({ scheme, host, port: fc.integer({ min: 0, max: 65_535 }) });
    const unix = fc.record({ scheme, path: fc.string({ minLength: 1, unit: anyCharacter }) });
    fc.assert(
      fc.property(fc.oneof(tcp, unix), (endpoint) => {
        const { parameters: _, ...parsed } = parseEndpoint(formatEndpoint(endpoint));
        expect(parsed).toEqual(endpoint);
      }),
    );
  });

  it('escapes a question mark', () => {
    const endpoint = { scheme: 'lmtp', path: '/run/what?.sock' };
    expect(formatEndpoint(endpoint)).toBe('lmtp+unix:/run/what%3F.sock');
    expect(parseEndpoint(formatEndpoint(endpoint))).toMatchObject(endpoint);
  });

  it('keeps the slashes at the beginning of a path', () => {
    const endpoint = { scheme: 'lmtp', path: '//run/lmtp' };
    expect(formatEndpoint(endpoint)).toBe('lmtp+unix:////run/lmtp');
    expect(parseEndpoint(formatEndpoint(endpoint))).toMatchObject(endpoint);
  });

  it('has the scheme tcp by default', () => {
    expect(formatEndpoint({ host: '::1', port: 25 })).toBe('tcp://[::1]:25');
    expect(formatEndpoint({ path: '/run/a b' })).toBe('tcp+unix:/run/a%20b');
  });
});

describe('isLocalOnly', () => {
  it.each(['127.0.0.1', '127.1.2.3', '::1', '::ffff:127.0.0.1', 'localhost'])('is true for %s', (host) => {
    expect(isLocalOnly({ host, port: 25 })).toBe(true);
  });

  it.each(['0.0.0.0', '::', '192.0.2.1', 'mx.example.com', '127.example.com'])('is false for %s', (host) => {
    expect(isLocalOnly({ host, port: 25 })).toBe(false);
  });

  it('is true for a UNIX socket', () => {
    expect(isLocalOnly({ path: '/run/smtp' })).toBe(true);
  });
});
