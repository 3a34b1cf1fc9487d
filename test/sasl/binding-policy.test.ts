import { AvatarRealm, InMemoryUsernamePasswordDatabaseDontUse, Portal } from '@postern/cred';
import {
  allChallengers,
  type ChannelBindingPolicy,
  defaultChallengers,
  explain,
  explainOmission,
  offered,
} from '@postern/sasl';
import { describe, expect, it } from 'vitest';
import { someMind, someTls } from './exchange.ts';

const HOSTNAME = 'mail.example.com';
const portal = new Portal(new AvatarRealm()).register(new InMemoryUsernamePasswordDatabaseDontUse());
const PASSWORDS = ['CRAM-MD5', 'PLAIN', 'LOGIN'];
const HASHES = ['SHA3-512', 'SHA-512', 'SHA-384', 'SHA-256', 'SHA-224', 'SHA-1'];
const SCRAM = HASHES.map((hash) => `SCRAM-${hash}`);
const PLUS = SCRAM.map((mechanism) => `${mechanism}-PLUS`);

const channelBinding = () => Uint8Array.of(1);
const SECURE = { 'TLS 1.2': 'TLSv1.2', 'TLS 1.3': 'TLSv1.3' } as const;

function names(options: object, version?: 'TLSv1.2' | 'TLSv1.3'): readonly string[] {
  const mind = someMind(version && { tls: someTls({ version, channelBinding }) });
  return offered(defaultChallengers({ hostname: HOSTNAME, ...options }), portal, mind).map(
    ({ mechanism }) => mechanism,
  );
}

describe.each(Object.entries(SECURE))('under %s', (_version, tls) => {
  it.each<[ChannelBindingPolicy | undefined, readonly string[]]>([
    [undefined, ['SCRAM-SHA3-512', 'SCRAM-SHA-512', ...PASSWORDS]],
    ['off', ['SCRAM-SHA3-512', 'SCRAM-SHA-512', ...PASSWORDS]],
    ['offered', [...PLUS, ...SCRAM, ...PASSWORDS]],
    ['required', PLUS],
  ])('channel binding %s offers the mechanisms of the policy', (policy, expected) => {
    expect(names(policy === undefined ? {} : { channelBinding: policy }, tls)).toEqual(expected);
  });

  it('a list of names offers exactly those', () => {
    const mechanisms = ['SCRAM-SHA-256', 'PLAIN', 'SCRAM-SHA-1-PLUS'];
    expect(names({ mechanisms }, tls)).toEqual(['SCRAM-SHA-1-PLUS', 'SCRAM-SHA-256', 'PLAIN']);
  });
});

describe('without TLS', () => {
  it.each<[ChannelBindingPolicy, readonly string[]]>([
    ['off', [...SCRAM, 'CRAM-MD5']],
    ['offered', [...SCRAM, 'CRAM-MD5']],
    ['required', []],
  ])('channel binding %s offers what works without a channel', (policy, expected) => {
    expect(names({ channelBinding: policy })).toEqual(expected);
  });
});

describe('a required channel binding', () => {
  it('keeps EXTERNAL, whose certificate belongs to the channel', () => {
    const family = defaultChallengers({ hostname: HOSTNAME, channelBinding: 'required' });
    expect(family.map(({ mechanism }) => mechanism)).toEqual([...PLUS, 'EXTERNAL']);
  });

  it('throws for a list with a mechanism that cannot bind', () => {
    const options = {
      hostname: HOSTNAME,
      channelBinding: 'required',
      mechanisms: ['SCRAM-SHA-256-PLUS', 'PLAIN'],
    } as const;
    expect(() => defaultChallengers(options)).toThrow(/PLAIN does not bind to the channel/);
  });
});

describe('the reason for an omission', () => {
  it.each([
    ['SCRAM-SHA-256-PLUS', {}, 'channel binding is off'],
    ['SCRAM-SHA-256-PLUS', { channelBinding: 'offered' }, undefined],
    ['PLAIN', { channelBinding: 'required' }, 'does not bind to the channel, which is required'],
    ['DIGEST-MD5', {}, 'has to be named'],
    ['PLAIN', { mechanisms: ['LOGIN'] }, 'not among the mechanisms wanted'],
    ['LOGIN', { mechanisms: ['LOGIN'] }, undefined],
  ] as const)('is returned for %s under %j', (mechanism, options, why) => {
    const all = { hostname: HOSTNAME, ...options };
    const challenger = allChallengers(all).find((each) => each.mechanism === mechanism);
    if (challenger === undefined) throw new Error(`no ${mechanism}`);
    expect(explainOmission(challenger, all)).toBe(why);
  });

  it('names the clients that would refuse a hash under TLS', () => {
    const sha256 = defaultChallengers({ hostname: HOSTNAME }).find(({ mechanism }) => mechanism === 'SCRAM-SHA-256');
    if (sha256 === undefined) throw new Error('no SCRAM-SHA-256');
    expect(explain(sha256, portal, someMind({ tls: someTls({ channelBinding }) }))).toMatch(/msmtp, mpop and gsasl/);
    expect(explain(sha256, portal, someMind())).toBeUndefined();
  });
});
