import { describe, expect, it } from 'vitest';
import { CLIENT_MECHANISMS, type ClientName, logInWith, type MtaTarget, openSession, plain } from './mta-clients.ts';
import { DOWN, HUNG } from './test-auth-server.ts';

/** The replies of a mail server, by the outcome of the login. */
export interface MtaReplies {
  readonly temporary: RegExp;
}

/** Tests that a mail server logs its clients in through the auth server. */
export function describeLogins(target: () => MtaTarget, { temporary }: MtaReplies): void {
  describe('logs joe in', { concurrent: true }, () => {
    it.each(CLIENT_MECHANISMS)('with %s and %s', async (client, mechanism) => {
      const { accepted, output } = await logInWith(client, mechanism, target(), true);
      expect(accepted, output).toBe(true);
    });
  });

  // Each wrong password is a guess of the same user and address: one for each mechanism.
  describe('refuses a wrong secret', { concurrent: true }, () => {
    it.each(WRONG)('with %s and %s', async (client, mechanism) => {
      const { accepted, output } = await logInWith(client, mechanism, target(), false);
      expect(accepted).toBe(false);
      expect(output).toMatch(/\b535\b/);
    });
  });

  it('offers the mechanisms, and no -PLUS, under TLS alone', async () => {
    const { client, ehlo } = await openSession(target());
    using _client = client;
    const names = /^250[- ]AUTH (.*)\r$/m.exec(ehlo)?.[1]?.split(' ') ?? [];
    expect(names).toEqual(expect.arrayContaining(['PLAIN', 'LOGIN', 'CRAM-MD5', 'SCRAM-SHA-256', 'OAUTHBEARER']));
    expect(ehlo).not.toContain('-PLUS');
  });

  it('cancels an exchange with 501 and logs in afterwards', async () => {
    const { client } = await openSession(target());
    using _client = client;
    expect(await client.say('AUTH CRAM-MD5')).toMatch(/^334 /);
    expect(await client.say('*')).toMatch(/^501 /);
    expect(await client.say(plain('joe', 's3cret'))).toMatch(/^235 /);
  });

  it('logs in after clients that hang up in an exchange', async () => {
    for (let index = 0; index < 5; index++) {
      const { client } = await openSession(target());
      using _client = client;
      expect(await client.say('AUTH LOGIN')).toMatch(/^334 /);
      expect(await client.say(Buffer.from('ann').toString('base64'))).toMatch(/^334 /);
    }
    const { client } = await openSession(target());
    using _client = client;
    expect(await client.say(plain('ann', 's3cret'))).toMatch(/^235 /);
  });

  it.each([DOWN, HUNG])('answers for now when the back end is %s, and other sessions continue', async (user) => {
    const [failing, other] = await Promise.all([openSession(target()), openSession(target())]);
    using client = failing.client;
    using otherClient = other.client;
    const reply = client.say(plain(user, 's3cret'));
    expect(await otherClient.say(plain('joe', 's3cret'))).toMatch(/^235 /);
    expect(await reply).toMatch(temporary);
  });
}

const WRONG: readonly (readonly [ClientName, string])[] = [
  ['swaks', 'PLAIN'],
  ['gsasl', 'LOGIN'],
  ['swaks', 'CRAM-MD5'],
  ['msmtp', 'SCRAM-SHA-256'],
  ['curl', 'OAUTHBEARER'],
];
