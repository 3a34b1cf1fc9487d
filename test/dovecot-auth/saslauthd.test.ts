import {
  AvatarRealm,
  type Checker,
  checker,
  Identity,
  identityOf,
  LoginDenied,
  type Mind,
  Portal,
  TemporaryFailure,
  UnauthorizedLogin,
  UsernamePassword,
} from '@postern/cred';
import { type SaslauthdEvent, saslauthd } from '@postern/dovecot-auth';
import { settle } from '@postern/testing';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { connect, converse } from './lookup.ts';

const NO_DELAYS = { loginFailureDelay: 0, minFailureDelay: 0 };

/** Returns the counted strings of a request. */
function request(...fields: readonly (string | Buffer)[]): Buffer {
  return Buffer.concat(
    fields.flatMap((field) => {
      const length = Buffer.alloc(2);
      length.writeUInt16BE(Buffer.byteLength(field));
      return [length, Buffer.from(field)];
    }),
  );
}

function setup(limits: Parameters<typeof saslauthd>[0]['limits'] = NO_DELAYS) {
  const events: SaslauthdEvent[] = [];
  const asked: string[] = [];
  const minds: string[] = [];
  const users: Checker<UsernamePassword> = checker([UsernamePassword], (credentials, mind: Mind) => {
    asked.push(credentials.username);
    minds.push(`${mind.protocol} ${mind.remote.address} ${mind.remote.port}`);
    if (credentials.username === 'down') throw new TemporaryFailure('down');
    if (credentials.username === 'closed') throw new LoginDenied('disabled');
    if (credentials.username === 'often') throw new LoginDenied('too-many');
    if (!credentials.checkPassword('secret')) throw new UnauthorizedLogin();
    return credentials.username;
  });
  const portal = new Portal(new AvatarRealm().provide(Identity, identityOf)).register(users);
  const server = saslauthd({ portal, limits, onEvent: (event) => events.push(event), logUsernames: true });
  return { server, events, asked, minds };
}

const OK = '\0\x02OK';
const NO = '\0\x02NO';

test.each([
  ['a user', request('joe', 'secret', 'smtp', ''), OK, ['joe']],
  ['a user and a realm', request('joe', 'secret', 'smtp', 'example.org'), OK, ['joe@example.org']],
  ['an address and a realm', request('joe@a.example', 'secret', 'smtp', 'b.example'), OK, ['joe@a.example']],
  ['a password in another normal form', request('joe', 'sec\u00adret', 'smtp', ''), OK, ['joe']],
  ['a wrong password', request('joe', 'wrong', 'smtp', ''), NO, ['joe']],
  ['a password of 300 octets', request('joe', 'x'.repeat(300), 'smtp', ''), NO, ['joe']],
  ['an empty password', request('joe', '', 'smtp', ''), NO, []],
  ['an empty login', request('', 'secret', 'smtp', 'x'), NO, []],
  ['a login that is no UTF-8', request(Buffer.of(0xff), 'secret', 'smtp', ''), NO, []],
  ['a login with NUL', request('jo\0e', 'secret', 'smtp', ''), NO, []],
  ['a disabled user', request('closed', 'secret', 'smtp', ''), NO, ['closed']],
  ['a store that is down', request('down', 'secret', 'smtp', ''), '', ['down']],
  ['a throttled user', request('often', 'secret', 'smtp', ''), '', ['often']],
])('%s', async (_, octets, reply, names) => {
  const { server, asked } = setup();
  expect(await converse(server, octets)).toBe(reply);
  expect(asked).toEqual(names);
});

test('the answer is the same in any slicing', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1 }), async (seed) => {
      const octets = request('joe', 'secret', 'smtp', 'example.org');
      expect(await converse(setup().server, octets, { chunks: { seed } })).toBe(OK);
    }),
    { numRuns: 20 },
  );
});

test.each([
  ['192.0.2.7;50000', 'smtp 192.0.2.7 50000'],
  ['2001:db8::1;50000', 'smtp 2001:db8::1 50000'],
  ['fe80::1%eth0;50000', 'smtp fe80::1 50000'],
  ['garbage;x', 'smtp 192.0.2.1 40000'],
  ['', 'smtp 192.0.2.1 40000'],
])('the fifth field %s is the client’s address if it is valid', async (address, mind) => {
  const { server, minds } = setup();
  expect(await converse(server, request('joe', 'secret', 'smtp', '', address))).toBe(OK);
  expect(minds).toEqual([mind]);
});

test('an unknown service leaves the protocol saslauthd', async () => {
  const { server, minds } = setup();
  await converse(server, request('joe', 'secret', 'constructor', ''));
  expect(minds).toEqual(['saslauthd 192.0.2.1 40000']);
});

test('a login is one event, and a refusal one', async () => {
  const { server, events } = setup();
  await converse(server, request('joe', 'secret', 'smtp', ''));
  await converse(server, request('joe', 'wrong', 'smtp', ''));
  expect(events).toMatchObject([
    { kind: 'authenticated', avatarId: 'joe', service: 'smtp' },
    { kind: 'login-refused', reply: 'NO', username: 'joe' },
  ]);
  expect(JSON.stringify(events)).not.toContain('wrong');
});

test('the answer to wrong credentials waits, also after a hang-up', async () => {
  const { server, events } = setup({ loginFailureDelay: 2_000, minFailureDelay: 0 });
  const { client, ended } = connect(server);
  await client.write(request('joe', 'wrong', 'smtp', ''));
  await settle();
  expect(client.unread).toBe(0);
  expect(events.map(({ kind }) => kind)).toEqual(['login-refused']);
  client.reset();
  await ended;
});

test.each([['more than 8,192 octets', Buffer.alloc(9_000, 0xff), 'a request of more than 8192 octets']])(
  '%s closes the connection with one log entry',
  async (_, octets, problem) => {
    const { server, events } = setup();
    expect(await converse(server, octets)).toBe('');
    expect(events).toMatchObject([{ kind: 'protocol-error', problem }]);
  },
);

test('garbage never rejects', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 60 }), async (octets) => {
      await converse(setup().server, octets);
    }),
    { numRuns: 50 },
  );
});

test('an unfinished request ends after its time', async () => {
  const { client, clock, ended } = connect(setup().server);
  await client.write(Buffer.of(0, 9, 1));
  await clock.advance(11_000);
  client.end();
  await ended;
  expect(client.unread).toBe(0);
});

test('a back end without an answer ends the connection without a reply at requestTimeout', async () => {
  const events: SaslauthdEvent[] = [];
  const answer = Promise.withResolvers<string>();
  let avatars = 0;
  const realm = new AvatarRealm().provide(Identity, (avatarId) => {
    avatars++;
    return Object.assign(Object.create(identityOf(avatarId)), { [Symbol.dispose]: () => void avatars-- });
  });
  const portal = new Portal(realm).register(checker([UsernamePassword], () => answer.promise));
  const server = saslauthd({ portal, limits: NO_DELAYS, onEvent: (event) => events.push(event) });
  const { client, clock, ended } = connect(server);
  await client.write(request('joe', 'secret', 'smtp', ''));
  await clock.advance(9_000);
  expect(events).toEqual([]);
  await clock.advance(1_500);
  client.end();
  await ended;
  expect(client.unread).toBe(0);
  expect(events).toMatchObject([{ kind: 'error', cause: { message: 'the login took more than 10000 ms' } }]);
  answer.resolve('joe');
  await settle();
  expect([avatars, events.length]).toEqual([0, 1]);
});
