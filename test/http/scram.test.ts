import { AvatarRealm, checker, Identity, identityOf, Portal } from '@postern/cred';
import { type HttpScramOptions, scram } from '@postern/http';
import { ScramSecret, ScramSha256Credentials } from '@postern/sasl';
import { testMind } from '@postern/testing';
import { expect, test } from 'vitest';
import { Server } from './server.ts';

/**
 * The messages of RFC 7804 §5, as RFC 7677 §3 has them. RFC 7804 leaves `$k0` out of the nonce, on
 * which the proof depends, and ends each message with an LF, against RFC 5802 §7.
 */
const CLIENT_FIRST = 'n,,n=user,r=rOprNGfwEbeRWgbNEkqO';
const NONCE = '%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0';
const SERVER_FIRST = `r=rOprNGfwEbeRWgbNEkqO${NONCE},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`;
const CLIENT_FINAL = `c=biws,r=rOprNGfwEbeRWgbNEkqO${NONCE},p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=`;
const SERVER_FINAL = 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=';

const secret = await ScramSecret.derive('pencil', {
  hash: 'sha256',
  salt: Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64'),
  iterations: 4096,
});

function server(options: HttpScramOptions = {}): Server {
  const users = checker([ScramSha256Credentials], async (credentials) => {
    if (credentials.username !== 'user') return undefined;
    return (await credentials.verify(secret)) ? credentials.username : undefined;
  });
  const portal = new Portal(new AvatarRealm().provide(Identity, identityOf)).register(users);
  return new Server({ portal, schemes: [scram({ nonce: () => NONCE, ...options })] });
}

const CHALLENGE = '401\nWWW-Authenticate: SCRAM-SHA-256 realm="example.com"';

function first(message = CLIENT_FIRST): string {
  return `SCRAM-SHA-256 realm="example.com", data=${btoa(message)}`;
}

function final(challenge: string, message = CLIENT_FINAL): string {
  return `SCRAM-SHA-256 sid=${sidIn(challenge)}, data=${btoa(message)}`;
}

test('runs the exchange of RFC 7804 §5 over two requests', async () => {
  const scramServer = server();
  expect(await scramServer.get()).toBe(CHALLENGE);
  const challenge = await scramServer.get(first());
  expect(dataIn(challenge)).toBe(SERVER_FIRST);
  const answer = await scramServer.get(final(challenge));
  expect(answer).toMatch(/^user\nAuthentication-Info: sid=/);
  expect(sidIn(answer)).toBe(sidIn(challenge));
  expect(dataIn(answer)).toBe(SERVER_FINAL);
  expect(scramServer.portal.openLogins).toBe(0);
});

test('takes a sid once', async () => {
  const once = server();
  const challenge = await once.get(first());
  expect(await once.get(final(challenge))).toMatch(/^user\n/);
  expect(await once.get(final(challenge))).toBe(CHALLENGE);
});

test('refuses a wrong proof, and the sid with it', async () => {
  const wrong = server();
  const challenge = await wrong.get(first());
  const otherProof = CLIENT_FINAL.replace('p=dH', 'p=dI');
  expect(await wrong.get(final(challenge, otherProof))).toBe(CHALLENGE);
  expect(await wrong.get(final(challenge))).toBe(CHALLENGE);
  expect(wrong.events).toMatchObject([
    { kind: 'login-refused', mechanism: 'SCRAM-SHA-256', reply: '401 Unauthorized' },
  ]);
});

test('challenges an unknown user as a known one', async () => {
  const unknown = server();
  const challenge = await unknown.get(first(CLIENT_FIRST.replace('user', 'bob')));
  expect(dataIn(challenge)).toMatch(/^r=rOprNGfwEbeRWgbNEkqO%hv[^,]+,s=[^,]{24},i=60000$/);
  expect(await unknown.get(final(challenge))).toBe(CHALLENGE);
});

test('forgets an exchange after the timeout, without an event', async () => {
  const slow = server({ exchangeTimeout: 1_000 });
  const challenge = await slow.get(first());
  await slow.clock.advance(1_000);
  expect(slow.clock.pending).toBe(0);
  expect(await slow.get(final(challenge))).toBe(CHALLENGE);
  expect(slow.events).toEqual([]);
});

test('drops the oldest exchange at the limit', async () => {
  const small = server({ maxExchanges: 1 });
  const [older, newer] = [await small.get(first()), await small.get(first())];
  expect(await small.get(final(older))).toBe(CHALLENGE);
  expect(await small.get(final(newer))).toMatch(/^user\n/);
});

test('continues no exchange from another network', async () => {
  const moved = server();
  const challenge = await moved.get(first());
  const mind = testMind({ remote: { family: 'IPv4', address: '192.0.2.2', port: 1 } });
  expect(await moved.get(final(challenge), '/', mind)).toBe(CHALLENGE);
});

test('survives the end of the connection between the requests', async () => {
  const two = server();
  const connection = new AbortController();
  const challenge = await two.get(first(), '/', testMind({ signal: connection.signal }));
  connection.abort();
  expect(await two.get(final(challenge))).toMatch(/^user\n/);
});

test('abandons its exchanges when it is disposed of', async () => {
  const closing = server();
  const challenge = await closing.get(first());
  closing.auth[Symbol.dispose]();
  expect(closing.clock.pending).toBe(0);
  expect(await closing.get(final(challenge))).toBe(CHALLENGE);
});

test.each([
  ['channel binding', first(`p=tls-exporter,,${CLIENT_FIRST.slice(3)}`), '400'],
  ['no data', 'SCRAM-SHA-256 realm="example.com"', '400'],
  ['data outside base64', 'SCRAM-SHA-256 data="!"', '400'],
  ['a doubled sid', 'SCRAM-SHA-256 sid=a, sid=b, data=biws', '400'],
  ['no client-first-message', first('n,,x'), '400'],
  ['an unknown sid', 'SCRAM-SHA-256 sid=__proto__, data=biws', '401'],
  ['another realm', first().replace('.com', '.org'), '401'],
])('answers %s', async (_name, field, status) => {
  expect(await server().get(field)).toBe(CHALLENGE.replace('401', status));
});

function sidIn(answer: string): string {
  return /sid="([^"]*)"/.exec(answer)?.[1] ?? '';
}

function dataIn(answer: string): string {
  return atob(/data="([^"]*)"/.exec(answer)?.[1] ?? '');
}
