import { excludedClients } from '@postern/sasl';
import { describe, expect, it } from 'vitest';

const PASSWORDS = ['CRAM-MD5', 'PLAIN', 'LOGIN'];
const SCRAM = ['SCRAM-SHA-512', 'SCRAM-SHA-256', 'SCRAM-SHA-1'];
const PLUS = SCRAM.map((mechanism) => `${mechanism}-PLUS`);

describe('excludedClients', () => {
  it.each([
    ['the default, TLS 1.3', ['SCRAM-SHA3-512', 'SCRAM-SHA-512', ...PASSWORDS], 'TLSv1.3', []],
    ['the default, TLS 1.2', ['SCRAM-SHA3-512', 'SCRAM-SHA-512', ...PASSWORDS], 'TLSv1.2', []],
    ['the default, no TLS', [...SCRAM, 'CRAM-MD5'], undefined, []],
    ['a store of hashes', ['PLAIN', 'LOGIN'], 'TLSv1.3', []],
    ['tokens and certificates only', ['EXTERNAL', 'OAUTHBEARER'], 'TLSv1.3', []],
    ['nothing', [], 'TLSv1.3', []],
    ['the whole family with -PLUS, TLS 1.3', [...PLUS, ...SCRAM, ...PASSWORDS], 'TLSv1.3', [/^mutt, neomutt/]],
    ['the whole family with -PLUS, TLS 1.2', [...PLUS, ...SCRAM, ...PASSWORDS], 'TLSv1.2', [/^mutt, neomutt/]],
    [
      'the whole family without -PLUS',
      [...SCRAM, ...PASSWORDS],
      'TLSv1.3',
      [/^msmtp from 1\.8\.26, mpop from 1\.4\.21, gsasl/],
    ],
    [
      'SHA-1 with -PLUS, SHA-256 without',
      ['SCRAM-SHA-1-PLUS', 'SCRAM-SHA-512', 'SCRAM-SHA-256', ...PASSWORDS],
      'TLSv1.3',
      [/^gsasl without --no-cb/],
    ],
    ['only what binds', PLUS, 'TLSv1.3', [/^mutt, neomutt/, /^Go net\/smtp/, /^curl, swaks/]],
  ] as const)('%s', (_list, mechanisms, tls, clients) => {
    const found = excludedClients(mechanisms, { tls });
    expect(found).toEqual(clients.map((client) => expect.stringMatching(client)));
  });

  it('returns clients that bind with a type that the server does not accept', () => {
    const channelBindings = ['tls-exporter', 'tls-server-end-point'] as const;
    const list = [...PLUS, ...PASSWORDS];
    expect(excludedClients(list, { tls: 'TLSv1.2', channelBindings }).join()).toMatch(
      /msmtp, mpop, gsasl under TLS 1\.2/,
    );
    expect(excludedClients(list, { tls: 'TLSv1.3', channelBindings }).join()).not.toMatch(/msmtp/);
  });
});
