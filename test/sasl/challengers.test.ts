import {
  type Challenger,
  defaultChallengers,
  encodeUtf8,
  mechanismNames,
  ScramCredentials,
  ScramSecret,
} from '@postern/sasl';
import { describe, expect, it } from 'vitest';
import { scripted, someMind, someTls } from './exchange.ts';
import { family } from './family.ts';

const HOSTNAME = 'mail.example.com';

function names(...mechanisms: readonly string[]): readonly string[] {
  const wanted = mechanisms.length > 0 ? { mechanisms } : {};
  return defaultChallengers({ hostname: HOSTNAME, ...wanted }).map(({ mechanism }) => mechanism);
}

describe('challengers', () => {
  it('are all mechanisms but the historic ones and -PLUS', () => {
    const scrams = ['SHA3-512', 'SHA-512', 'SHA-384', 'SHA-256', 'SHA-224', 'SHA-1'].map((hash) => `SCRAM-${hash}`);
    expect(names()).toEqual([
      'EXTERNAL',
      ...scrams,
      'OAUTHBEARER',
      'XOAUTH2',
      'CRAM-MD5',
      'PLAIN',
      'LOGIN',
      'ANONYMOUS',
    ]);
  });

  it('may be an empty list', () => {
    expect(defaultChallengers({ hostname: HOSTNAME, mechanisms: [] })).toEqual([]);
  });

  it('receive their options', () => {
    expect(() => defaultChallengers({ hostname: 'not a host' })).toThrow(TypeError);
  });

  it('are the named ones, the strongest first', () => {
    expect(names('PLAIN', 'SCRAM-SHA-1', 'SCRAM-SHA3-512', 'SCRAM-SHA-256-PLUS')).toEqual([
      'SCRAM-SHA-256-PLUS',
      'SCRAM-SHA3-512',
      'SCRAM-SHA-1',
      'PLAIN',
    ]);
  });

  it('include each hash of the SCRAM family, with and without channel binding', () => {
    const scrams = ['SHA3-512', 'SHA-512', 'SHA-384', 'SHA-256', 'SHA-224', 'SHA-1'].map((hash) => `SCRAM-${hash}`);
    const all = [...scrams.map((name) => `${name}-PLUS`), ...scrams];
    expect(names(...all.toReversed())).toEqual(all);
  });

  it('throw for an unknown mechanism', () => {
    expect(() => names('PLAIN', 'SCRAM-MD5')).toThrow(/unknown mechanism "SCRAM-MD5"; expected some of .*PLAIN/);
  });

  it.each([
    ['fails where -PLUS is named', { mechanisms: ['SCRAM-SHA-256', 'SCRAM-SHA-256-PLUS'] }, false],
    ['fails where -PLUS is offered', { channelBinding: 'offered' }, false],
    ['passes where it is not named', { mechanisms: ['SCRAM-SHA-256'] }, true],
    ['passes where only that of another hash is named', { mechanisms: ['SCRAM-SHA-256', 'SCRAM-SHA-1-PLUS'] }, true],
    ['passes where it is not offered, as by default', {}, true],
  ] as const)('a client that saw no -PLUS %s', async (_what, options, passes) => {
    const scram = { nonce: () => 'server', iterations: 4096 };
    const known = defaultChallengers({ hostname: HOSTNAME, ...options, scram });
    const challenger = known.find(({ mechanism }) => mechanism === 'SCRAM-SHA-256') as Challenger<ScramCredentials>;
    const tls = someTls({ channelBinding: () => Uint8Array.of(1) });
    const ask = scripted('c=eSws,r=client-nonceserver,p=wyamFXp6eg6JY29LOS6qIx929HWaEBrnFJ/IU51HowQ=');
    const credentials = await challenger.challenge(ask, encodeUtf8('y,,n=user,r=client-nonce'), someMind({ tls }));
    expect(credentials).toBeInstanceOf(ScramCredentials);
    const salt = new Uint8Array(16);
    expect(
      await credentials.verify(await ScramSecret.derive('pencil', { hash: 'sha256', salt, iterations: 4096 })),
    ).toBe(passes);
  });
});

describe('mechanismNames', () => {
  it('are the mechanisms of the tests of both halves, so that a new one is attacked as well', () => {
    const tested = new Set(family.map(({ challenger }) => challenger.mechanism));
    expect(mechanismNames().filter((name) => !tested.has(name))).toEqual([]);
  });

  it('are in the order of strength, in which both halves agree', () => {
    expect(mechanismNames().slice(5, 8)).toEqual(['SCRAM-SHA-1-PLUS', 'EXTERNAL', 'SCRAM-SHA3-512']);
    expect(mechanismNames().slice(-7)).toEqual([
      'OAUTHBEARER',
      'XOAUTH2',
      'DIGEST-MD5',
      'CRAM-MD5',
      'PLAIN',
      'LOGIN',
      'ANONYMOUS',
    ]);
    for (const { challenger, responder } of family) {
      expect([responder.mechanism, responder.strength]).toEqual([challenger.mechanism, challenger.strength]);
    }
  });
});
