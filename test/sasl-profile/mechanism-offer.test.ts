import {
  AnonymousChecker,
  type AnyChecker,
  AvatarRealm,
  type Checker,
  type Credentials,
  InMemoryUsernamePasswordDatabaseDontUse,
  type Interface,
  type Mind,
  Portal,
  UsernamePassword,
} from '@postern/cred';
import {
  allChallengers,
  type Challenger,
  ExternalIdentity,
  type MechanismPolicy,
  offered,
  ScramSha256Credentials,
} from '@postern/sasl';
import { chooseChallenger, MechanismOffer } from '@postern/sasl-profile';
import { testMind } from '@postern/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const family = allChallengers({ hostname: 'localhost', channelBinding: 'offered' });
const narrow = allChallengers({ hostname: 'localhost', channelBinding: 'off' });

/** A checker whose classes of credentials change. */
class Changing implements Checker<Credentials> {
  credentialInterfaces: readonly Interface<Credentials>[] = [UsernamePassword];
  requestAvatarId = () => 'joe';
}

const tls = fc.record({
  version: fc.constantFrom('TLSv1.2', 'TLSv1.3'),
  cipher: fc.constant('TLS_AES_256_GCM_SHA384'),
  serverName: fc.constant(undefined),
  peerCertificate: fc.option(
    fc.boolean().map((verified) => ({ verified, subject: 'CN=joe', subjectAltName: undefined, fingerprint256: '00' })),
    { nil: undefined },
  ),
  channelBinding: fc
    .subarray(['tls-exporter', 'tls-unique', 'tls-server-end-point'])
    .map((known) => (type: string) => (known.includes(type) ? Uint8Array.of(1) : undefined)),
});
const mind: fc.Arbitrary<Mind> = fc
  .record({
    tls: fc.option(tls, { nil: undefined }),
    remote: fc.constantFrom('127.0.0.1', '192.0.2.1', '192.0.2.2', '::1', '2001:db8::1').map((address) => ({
      family: address.includes(':') ? ('IPv6' as const) : ('IPv4' as const),
      address,
      port: 1,
    })),
  })
  .map((facts) => testMind(facts));
const policy: fc.Arbitrary<MechanismPolicy> = fc.constantFrom<MechanismPolicy>(
  {},
  { allowCleartext: true },
  { allowCleartext: false },
  { allowCleartext: ({ address }) => address === '192.0.2.2' },
);
const extra: fc.Arbitrary<Challenger> = fc
  .record({
    exposesSecret: fc.constantFrom(true, false),
    parity: fc.option(fc.nat(1), { nil: undefined }),
    name: fc.nat(),
  })
  .map(({ exposesSecret, parity, name }) => ({
    mechanism: `X-${name}`,
    credentials: UsernamePassword,
    exposesSecret,
    challenge: () => new UsernamePassword('joe', 's3cret'),
    ...(parity !== undefined && {
      unavailable: ({ remote }: Mind) => (remote.address.length % 2 === parity ? 'by its address' : undefined),
    }),
  }));
const challengers = fc
  .tuple(
    fc.constantFrom(family, narrow),
    fc.uniqueArray(extra, { maxLength: 40, selector: ({ mechanism }) => mechanism }),
    fc.boolean(),
  )
  .map(([mechanisms, others, areMany]) => (areMany ? [...mechanisms, ...others] : others.slice(0, 5)));
const interfaces = fc.subarray(
  [UsernamePassword, ScramSha256Credentials, ExternalIdentity] as Interface<Credentials>[],
  {
    minLength: 1,
  },
);
const more: fc.Arbitrary<AnyChecker> = fc.constantFrom<AnyChecker>(
  new InMemoryUsernamePasswordDatabaseDontUse({ joe: 's3cret' }),
  new AnonymousChecker(),
);

describe('MechanismOffer', () => {
  it('has the names that `offered` computes, for each client, portal and policy, and after each change', () => {
    fc.assert(
      fc.property(
        challengers,
        policy,
        fc.array(fc.oneof(mind, interfaces, more), { minLength: 1, maxLength: 12 }),
        (mechanisms, allowed, steps) => {
          const changing = new Changing();
          const portal = new Portal(new AvatarRealm()).register(changing);
          const registered = new Set<AnyChecker>();
          const offer = new MechanismOffer(mechanisms, portal, allowed);
          for (const step of steps) {
            if (Array.isArray(step)) changing.credentialInterfaces = step;
            else if ('requestAvatarId' in step) {
              if (!registered.has(step)) portal.register(step as Checker<Credentials>);
              registered.add(step);
            } else {
              const client = step as Mind;
              const expected = offered(mechanisms, portal, client, allowed).map(({ mechanism }) => mechanism);
              expect(offer.namesFor(client)).toEqual(expected);
              for (const { mechanism } of mechanisms) {
                const chosen = chooseChallenger(mechanism, {
                  challengers: mechanisms,
                  portal,
                  mind: client,
                  mechanismPolicy: allowed,
                });
                expect(offer.choose(mechanism.toLowerCase(), client)).toBe(chosen);
              }
            }
          }
        },
      ),
    );
  });

  it('returns the same array for clients with the same offer', () => {
    const portal = new Portal(new AvatarRealm()).register(new InMemoryUsernamePasswordDatabaseDontUse());
    const offer = new MechanismOffer(family, portal);
    const remote = offer.namesFor(testMind());
    expect(offer.namesFor(testMind())).toBe(remote);
    const local = { family: 'IPv4', address: '127.0.0.1', port: 1 } as const;
    expect(offer.namesFor(testMind({ remote: local }))).not.toBe(remote);
    expect(offer.namesFor(testMind())).toBe(remote);
    portal.register(new AnonymousChecker());
    expect(offer.namesFor(testMind())).toEqual([...remote, 'ANONYMOUS']);
  });

  it('takes the first of two challengers with one name, as `chooseChallenger` does', () => {
    const portal = new Portal(new AvatarRealm()).register(new InMemoryUsernamePasswordDatabaseDontUse());
    const first = challengerOf('SCRAM-SHA-256');
    const challengers = [first, { ...first, challenge: first.challenge.bind(first) }];
    const connection = testMind();
    expect(chooseChallenger('SCRAM-SHA-256', { challengers, portal, mind: connection })).toBe(first);
    expect(new MechanismOffer(challengers, portal).choose('SCRAM-SHA-256', connection)).toBe(first);
  });

  it('refuses a mechanism that the server does not have', () => {
    const offer = new MechanismOffer([], new Portal(new AvatarRealm()));
    expect(offer.choose('PLAIN', testMind())).toBe('not-offered');
  });
});

function challengerOf(mechanism: string): Challenger {
  const challenger = narrow.find((candidate) => candidate.mechanism === mechanism);
  if (challenger === undefined) throw new Error(`no challenger for ${mechanism}`);
  return challenger;
}
