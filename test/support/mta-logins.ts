import { describe, expect, it } from 'vitest';
import { MAX_GUESSES } from './auth-recipe.ts';
import { DOWN, HUNG } from './failing-users.ts';
import { CLIENT_MECHANISMS, type ClientName, logInWith, type MtaTarget, openSession, plain } from './mta-clients.ts';

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
    const { client, ehlo, clearEhlo } = await openSession(target());
    using _client = client;
    expect(clearEhlo).toMatch(/^250[- ]STARTTLS\r$/m);
    expect(clearEhlo).not.toMatch(/^250[- ]AUTH\b/m);
    const names = /^250[- ]AUTH (.*)\r$/m.exec(ehlo)?.[1]?.split(' ') ?? [];
    expect(names.toSorted()).toEqual(['CRAM-MD5', 'LOGIN', 'OAUTHBEARER', 'PLAIN', 'SCRAM-SHA-256']);
  });

  it('refuses a user after the guesses of the throttle, and counts no abandoned exchange', async () => {
    const guess = async (user: string, password: string) => {
      const { client } = await openSession(target());
      using _client = client;
      expect(await client.say(plain(user, password))).toMatch(/^535 /);
    };
    // The throttle counts each password once.
    const guesses = Array.from({ length: MAX_GUESSES }, (_, index) => `guess${index}`);
    const allButOne = guesses.slice(1);
    await Promise.all([
      ...guesses.map((password) => guess('bob', password)),
      ...allButOne.map((password) => guess('ann', password)),
    ]);
    // Exim reports these clients by an empty response, and Postfix by nothing.
    for (const mechanism of ['LOGIN', 'CRAM-MD5', 'PLAIN']) {
      for (const word of ['*', undefined]) {
        const { client } = await openSession(target());
        using _client = client;
        expect(await client.say(`AUTH ${mechanism}`)).toMatch(/^334 /);
        if (mechanism === 'LOGIN') expect(await client.say(base64('ann'))).toMatch(/^334 /);
        if (word !== undefined) expect(await client.say(word)).toMatch(/^501 /);
      }
    }
    const [ann, bob] = await Promise.all([openSession(target()), openSession(target())]);
    using annClient = ann.client;
    using bobClient = bob.client;
    expect(await annClient.say(plain('ann', 's3cret'))).toMatch(/^235 /);
    expect(await bobClient.say(plain('bob', 's3cret'))).toMatch(/^[45]\d\d /);
  });

  it('logs in on the same connection after a cancelled exchange', async () => {
    const { client } = await openSession(target());
    using _client = client;
    expect(await client.say('AUTH CRAM-MD5')).toMatch(/^334 /);
    expect(await client.say('*')).toMatch(/^501 /);
    expect(await client.say(plain('joe', 's3cret'))).toMatch(/^235 /);
  });

  it('logs other clients in during the delay after a wrong password', async () => {
    const [failing, other] = await Promise.all([openSession(target()), openSession(target())]);
    using client = failing.client;
    using otherClient = other.client;
    const refusal = client.say(plain('joe', 'wrong'));
    const granted = otherClient.say(plain('joe', 's3cret'));
    expect(await Promise.race([refusal, granted])).toMatch(/^235 /);
    expect(await refusal).toMatch(/^535 /);
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

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

const WRONG: readonly (readonly [ClientName, string])[] = [
  ['swaks', 'PLAIN'],
  ['gsasl', 'LOGIN'],
  ['swaks', 'CRAM-MD5'],
  ['msmtp', 'SCRAM-SHA-256'],
  ['curl', 'OAUTHBEARER'],
];

/**
 * Logs joe in with session after session, in three clients, until the work is done. Returns the
 * final replies. As mail programs do, a client repeats a login that failed temporarily, once: the
 * old server may close a connection to which the mail server has just written, which no server can
 * know. Each session begins with its greeting.
 */
export async function logInDuring(target: () => MtaTarget, work: () => Promise<void>): Promise<readonly string[]> {
  let isWorking = true;
  const replies: string[] = [];
  let repeated = 0;
  const clients = [1, 2, 3].map(async () => {
    for (let sessions = 0; isWorking || sessions < 3; sessions++) {
      const { client } = await openSession(target());
      using _client = client;
      const login = plain('joe', 's3cret');
      const reply = await client.say(login);
      const isTemporary = reply.startsWith('4');
      if (isTemporary) repeated++;
      replies.push(isTemporary ? await client.say(login) : reply);
    }
  });
  await Promise.all([
    ...clients,
    work().finally(() => {
      isWorking = false;
    }),
  ]);
  console.log(`${replies.length} logins, ${repeated} of them repeated`);
  expect(repeated, 'logins that failed at first').toBeLessThanOrEqual(MAX_REPEATED_LOGINS);
  return replies;
}

/** One for each of the three restarts that the tests do. */
const MAX_REPEATED_LOGINS = 3;
