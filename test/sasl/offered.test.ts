import {
  Anonymous,
  AnonymousChecker,
  AvatarRealm,
  type Checker,
  InMemoryUsernamePasswordDatabaseDontUse,
  Portal,
  UsernamePassword,
} from '@postern/cred';
import { anonymous, type Challenger, cramMd5, explain, login, offered, plain } from '@postern/sasl';
import { describe, expect, it } from 'vitest';
import { someMind, someTls } from './exchange.ts';

const family = [cramMd5({ hostname: 'localhost' }), plain(), login(), anonymous()];

function names(challengers: readonly Challenger[]): readonly string[] {
  return challengers.map(({ mechanism }) => mechanism);
}

function portal(): Portal {
  return new Portal(new AvatarRealm());
}

describe('offered', () => {
  it('offers each PasswordProof if a checker has clear-text passwords', () => {
    const withPasswords = portal().register(new InMemoryUsernamePasswordDatabaseDontUse());
    const mind = someMind({ tls: someTls() });
    expect(names(offered(family, withPasswords, mind))).toEqual(['CRAM-MD5', 'PLAIN', 'LOGIN']);
  });

  it('offers only UsernamePassword if the checker has hashes', () => {
    const hashes: Checker<UsernamePassword> = {
      credentialInterfaces: [UsernamePassword],
      requestAvatarId: ({ username }) => username,
    };
    const mind = someMind({ tls: someTls() });
    expect(names(offered(family, portal().register(hashes), mind))).toEqual(['PLAIN', 'LOGIN']);
  });

  it('offers nothing without a checker', () => {
    expect(offered(family, portal(), someMind({ tls: someTls() }))).toEqual([]);
    expect(explain(anonymous(), portal(), someMind())).toBe(`no checker for ${Anonymous.name}`);
    expect(names(offered(family, portal().register(new AnonymousChecker()), someMind()))).toEqual(['ANONYMOUS']);
  });

  describe('without TLS', () => {
    const withPasswords = portal().register(new InMemoryUsernamePasswordDatabaseDontUse());

    it('offers no mechanism that exposes the secret', () => {
      expect(names(offered(family, withPasswords, someMind()))).toEqual(['CRAM-MD5']);
      expect(explain(plain(), withPasswords, someMind())).toBe('exposes the secret: needs TLS');
    });

    it('offers no mechanism of JavaScript that does not say whether it exposes the secret', () => {
      const { exposesSecret: _, ...silent } = plain();
      expect(explain(silent as unknown as Challenger, withPasswords, someMind())).toBe('exposes the secret: needs TLS');
    });

    it('offers it if the policy allows all', () => {
      expect(names(offered(family, withPasswords, someMind(), { allowCleartext: true }))).toContain('PLAIN');
    });

    it('offers it to the clients that the policy names', () => {
      const allowCleartext = ({ address }: { readonly address: string }) => address === '172.17.0.2';
      const at = (address: string) => someMind({ remote: { family: 'IPv4', address, port: 1 } });
      expect(names(offered(family, withPasswords, at('172.17.0.2'), { allowCleartext }))).toContain('PLAIN');
      expect(names(offered(family, withPasswords, at('172.17.0.3'), { allowCleartext }))).toEqual(['CRAM-MD5']);
      expect(names(offered(family, withPasswords, at('127.0.0.1'), { allowCleartext }))).toContain('PLAIN');
      // JavaScript may pass an async function, whose promise is truthy.
      const asyncFunction = (async () => false) as unknown as () => boolean;
      expect(names(offered(family, withPasswords, at('172.17.0.2'), { allowCleartext: asyncFunction }))).toEqual([
        'CRAM-MD5',
      ]);
    });

    it.each([
      ['IPv4', '127.0.0.1', true],
      ['IPv4', '127.1.2.3', true],
      ['IPv6', '::1', true],
      ['IPv6', '::ffff:127.0.0.1', true],
      ['unix', '', true],
      ['IPv4', '128.0.0.1', false],
      ['IPv6', '::2', false],
      ['IPv6', '::ffff:192.0.2.1', false],
    ] as const)('decides for a client at %s %j whether it is on this machine: %s', (family_, address, local) => {
      const mind = someMind({ remote: { family: family_, address, port: 1 } });
      expect(names(offered(family, withPasswords, mind)).includes('PLAIN')).toBe(local);
    });
  });

  it('omits a mechanism that is unavailable on the connection', () => {
    const fussy: Challenger = {
      ...plain(),
      unavailable: ({ tls }) => (tls?.version === 'TLSv1.3' ? undefined : 'old'),
    };
    const withPasswords = portal().register(new InMemoryUsernamePasswordDatabaseDontUse());
    const old = someMind({ tls: someTls({ version: 'TLSv1.2' }) });
    expect(explain(fussy, withPasswords, old)).toBe('old');
    expect(offered([fussy], withPasswords, old)).toEqual([]);
    expect(offered([fussy], withPasswords, someMind({ tls: someTls() }))).toEqual([fussy]);
  });
});
