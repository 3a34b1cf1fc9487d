import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AuthClient } from '../support/auth-client.ts';
import { type AuthRequest, askNginxMail, askNginxRequest, askSaslauthd, exchange } from '../support/auth-requests.ts';
import { LineClient } from '../support/line-client.ts';
import { type RunningPostern, startPostern } from '../support/postern.ts';
import { words } from '../support/program.ts';
import { ResourceStack } from '../support/resource-stack.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** The throttle's default for one user at one network. */
const MAX_GUESSES = 10;
const LOOPBACK = 'service=smtp\trip=127.0.0.1';

const resources = new ResourceStack();
let folder: string;
let postern: RunningPostern;

beforeAll(async () => {
  folder = resources.use(temporaryFolder('one-portal')).path;
  const path = (name: string) => join(folder, name);
  const limits = { 'dovecot-auth': { loginFailureDelay: 0 }, saslauthd: { loginFailureDelay: 0 } };
  writeFileSync(path('postern.config.mjs'), `export default { limits: ${JSON.stringify(limits)} };`);
  postern = await startPostern(
    ...words`--listen dovecot-auth+unix:${path('auth')}?mode=660 --listen saslauthd+unix:${path('mux')}?mode=660`,
    ...words`--listen policy+unix:${path('policy')} --listen socketmap+unix:${path('map')}`,
    ...words`--listen http+unix:${path('http')}?smtp=127.0.0.1:587&imap=127.0.0.1:143&pop3=127.0.0.1:110`,
    ...words`--listen smtp://127.0.0.1:0 --listen pop3://127.0.0.1:0 --deliver maildir:${path('mail')}`,
    ...words`--auth memory:joe:s3cretpassword --auth memory:ann:s3cretpassword --log json`,
    ...words`--domains example.com --recipients users --own-senders users --hostname mail.example.com --config ${path('postern.config.mjs')}`,
  );
  resources.defer(async () => expect(await postern.stop()).toBe(0));
});

afterAll(() => resources.close());

describe('one process, for its own clients and for those of other servers', () => {
  it('logs a user in at every listener', async () => {
    using auth = await AuthClient.connect(join(folder, 'auth'));
    expect(await auth.plain('ann', ['s3cretpassword'], LOOPBACK)).toEqual(['OK\t1\tuser=ann']);
    expect(await saslauthd('ann', 's3cretpassword')).toBe('OK');
    expect(await nginx('ann', 's3cretpassword')).toMatch(/^Auth-Status: OK\r$/m);
    expect(await basic('ann', 's3cretpassword')).toMatch(/^HTTP\/1\.1 200 [\s\S]*\r\nX-Auth-User: ann\r\n/);
    // nginx before 1.23 passes on the first challenge only.
    const [challenge] = /^WWW-Authenticate: .*$/m.exec(await basic('ann', 'wrong')) ?? [];
    expect(challenge).toMatch(/^WWW-Authenticate: Basic realm="mail\.example\.com"/);
    expect(await pop3('ann', 's3cretpassword')).toMatch(/^\+OK/);
    expect(await smtp('ann', 's3cretpassword')).toMatch(/^235 /);
    expect(postern.output()).toContain('"msg":"logged in"');
  });

  it('answers questions about senders and recipients', async () => {
    expect(await policy('RCPT', 'ann', 'ann@example.com', 'joe@example.com')).toBe('action=DUNNO\n\n');
    expect(await policy('RCPT', 'ann', 'joe@example.com', 'joe@example.com')).toMatch(/^action=553 5\.7\.1 /);
    expect(await policy('RCPT', '', 'x@example.net', 'nobody@example.com')).toMatch(/^action=550 5\.1\.1 /);
    // The account is gone, and Postfix still serves its session.
    expect(await policy('RCPT', 'gone', 'gone@example.com', 'joe@example.com')).not.toContain('DUNNO');
    expect(await exchange(join(folder, 'map'), '23:senders joe@example.com,')).toBe('6:OK joe,');
  });

  it('refuses at each listener the user whose password was guessed at the auth socket', async () => {
    using auth = await AuthClient.connect(join(folder, 'auth'));
    const guesses = Array.from({ length: MAX_GUESSES }, (_, guess) => `guess${guess}`);
    const answers = await auth.plain('joe', guesses, LOOPBACK);
    expect(answers.every((answer) => answer.startsWith('FAIL\t'))).toBe(true);
    // The password is right.
    const password = 's3cretpassword';
    const [pop, mail, http, page, cyrus] = await Promise.all([
      pop3('joe', password),
      smtp('joe', password),
      nginx('joe', password),
      basic('joe', password),
      saslauthd('joe', password),
    ]);
    expect(pop).toMatch(/^-ERR/);
    expect(mail).toMatch(/^454 4\.7\.0 /);
    expect(http).toMatch(/^Auth-Error-Code: 454 4\.7\.0\r$/m);
    // nginx's auth_request knows 401 and 403 only.
    expect(page).toMatch(/^HTTP\/1\.1 403 [\s\S]*\r\nRetry-After: \d+\r\n/);
    // Cyrus SASL takes a close for a temporary failure.
    expect(cyrus).toBe('');
    // The throttle does not name another user.
    expect(await pop3('ann', password)).toMatch(/^\+OK/);
  });
});

const login = (username: string, password: string): AuthRequest => ({ username, password, client: '127.0.0.1' });
const saslauthd = (username: string, password: string) => askSaslauthd(join(folder, 'mux'), login(username, password));
const nginx = (username: string, password: string) => askNginxMail(join(folder, 'http'), login(username, password));
const basic = (username: string, password: string) => askNginxRequest(join(folder, 'http'), login(username, password));

async function policy(state: string, user: string, sender: string, recipient: string): Promise<string> {
  const attributes = [
    'request=smtpd_access_policy',
    `protocol_state=${state}`,
    'client_address=127.0.0.1',
    `sasl_username=${user}`,
    `sender=${sender}`,
    `recipient=${recipient}`,
  ];
  return await exchange(join(folder, 'policy'), `${attributes.join('\n')}\n\n`);
}

async function pop3(username: string, password: string): Promise<string> {
  using client = new LineClient(connect(portOf('pop3'), '127.0.0.1'));
  await client.hear(/^.*\r\n/);
  await client.say(`USER ${username}`, /^.*\r\n/);
  return await client.say(`PASS ${password}`, /^.*\r\n/);
}

async function smtp(username: string, password: string): Promise<string> {
  using client = new LineClient(connect(portOf('smtp'), '127.0.0.1'));
  await client.hear();
  await client.say('EHLO client.example.com');
  return await client.say(`AUTH PLAIN ${Buffer.from(`\0${username}\0${password}`).toString('base64')}`);
}

function portOf(scheme: string): number {
  return Number(postern.urls.find(({ protocol }) => protocol === `${scheme}:`)?.port);
}
