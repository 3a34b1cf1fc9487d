import { AnonymousChecker, AvatarRealm, Portal, TrustedLoginChecker } from '@postern/cred';
import { type LookupEvent, MailDirectory, policy } from '@postern/dovecot-auth';
import { FakeClock, readChunk, settle } from '@postern/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { connect, converse, directoryPortal, TestDirectory } from './lookup.ts';

/** Returns a request of Postfix, with some of the attributes that no decision depends on. */
function request(attributes: Readonly<Record<string, string>>): string {
  const all = {
    request: 'smtpd_access_policy',
    protocol_state: 'RCPT',
    protocol_name: 'ESMTP',
    helo_name: 'client.example.org',
    queue_id: '',
    client_address: '192.0.2.7',
    client_port: '50000',
    ...attributes,
  };
  return `${Object.entries(all)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('')}\n`;
}

const fromAnn = { sasl_username: 'ann', sender: 'ann@example.com' };
const SENDER_OF_OTHERS = 'action=553 5.7.1 Sender address not owned by the logged-in user\n\n';
const CLOSED_ACCOUNT = 'action=554 5.7.1 The account of the logged-in user is closed\n\n';
const UNKNOWN = 'action=550 5.1.1 User unknown\n\n';
const DUNNO = 'action=DUNNO\n\n';

describe.each([false, true])('a directory that waits: %s', (waits) => {
  test.each([
    ['own sender, known recipient', { ...fromAnn, recipient: 'bob@example.com' }, DUNNO],
    ['own sender, recipient elsewhere', { ...fromAnn, recipient: 'x@example.net' }, DUNNO],
    ['own sender, unknown recipient', { ...fromAnn, recipient: 'nobody@example.com' }, UNKNOWN],
    ['sender of another user', { ...fromAnn, sender: 'bob@example.com', recipient: 'x@example.net' }, SENDER_OF_OTHERS],
    [
      'sender of another user at MAIL',
      { sasl_username: 'ann', sender: 'b@x.org', protocol_state: 'MAIL' },
      SENDER_OF_OTHERS,
    ],
    [
      'sender of another user at DATA',
      { sasl_username: 'ann', sender: 'b@x.org', protocol_state: 'DATA' },
      SENDER_OF_OTHERS,
    ],
    [
      'sender of another user in an unknown state',
      { sasl_username: 'ann', sender: 'b@x.org', protocol_state: 'LATER' },
      SENDER_OF_OTHERS,
    ],
    ['null sender of a user', { sasl_username: 'ann', sender: '', protocol_state: 'MAIL' }, DUNNO],
    ['user without a sender yet', { sasl_username: 'eve', protocol_state: 'EHLO' }, DUNNO],
    [
      'disabled user',
      { sasl_username: 'eve', sender: 'eve@example.com', recipient: 'bob@example.com' },
      CLOSED_ACCOUNT,
    ],
    ['removed user', { sasl_username: 'gone', sender: 'gone@example.com', protocol_state: 'MAIL' }, CLOSED_ACCOUNT],
    ['anonymous client with a user’s sender', { sender: 'ann@example.com', recipient: 'bob@example.com' }, DUNNO],
    ['anonymous client, unknown recipient', { sender: 'x@example.net', recipient: 'nobody@example.com' }, UNKNOWN],
    ['anonymous client at CONNECT', { protocol_state: 'CONNECT' }, DUNNO],
    ['anonymous client, recipient at VRFY', { protocol_state: 'VRFY', recipient: 'nobody@example.com' }, DUNNO],
    [
      'names of object properties',
      { ...fromAnn, __proto__x: '1', constructor: 'x', recipient: 'bob@example.com' },
      DUNNO,
    ],
  ])('%s', async (_, attributes, reply) => {
    expect(await converse(policy({ portal: directoryPortal(waits) }), request(attributes))).toBe(reply);
  });

  test.each([
    ['a directory that fails', { ...fromAnn, recipient: 'down@example.com' }],
    ['a portal that fails', { sasl_username: 'down', sender: 'x@example.com', protocol_state: 'MAIL' }],
  ])('%s closes the connection without a reply', async (_, attributes) => {
    const events: LookupEvent[] = [];
    const server = policy({ portal: directoryPortal(waits), onEvent: (event) => events.push(event) });
    const first = request({ ...fromAnn, recipient: 'bob@example.com' });
    expect(await converse(server, first + request(attributes) + first)).toBe(DUNNO);
    expect(events.map(({ kind }) => kind)).toEqual(['error']);
  });
});

test('any number of requests, in any slicing, has its replies in order', async () => {
  const questions = fc.array(fc.constantFrom(...Object.keys(ANSWERS)), { minLength: 1, maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(questions, fc.integer({ min: 1 }), fc.boolean(), async (asked, seed, waits) => {
      const text = asked.map((recipient) => request({ ...fromAnn, recipient })).join('');
      const replies = await converse(policy({ portal: directoryPortal(waits) }), text, { chunks: { seed } });
      expect(replies).toBe(asked.map((recipient) => ANSWERS[recipient]).join(''));
    }),
    { numRuns: 40 },
  );
});

test.each([
  ['an empty request', '\n', 'a request without attributes'],
  ['a line without a value', 'request\n', 'a line that is no attribute name=value'],
  ['another kind of request', 'request=junk\n\n', 'a request that is no smtpd_access_policy'],
  ['an attribute twice', 'sender=a\nsender=b\n', 'the attribute sender twice'],
  ['TLS', '\x16\x03\x01\x02\x00\n', 'a line that is no attribute name=value'],
  ['a line of 1 MiB', 'a='.padEnd(2 ** 20, 'a'), 'a line of more than 65536 octets'],
  ['ten thousand attributes', 'name=value\n'.repeat(10_000), 'a request of more than 65536 octets'],
  ['a client that leaves', 'request=x\n', 'the client disconnected within a request'],
])('%s closes the connection with one log entry', async (_, octets, problem) => {
  const events: LookupEvent[] = [];
  const server = policy({ portal: directoryPortal(), onEvent: (event) => events.push(event) });
  expect(await converse(server, octets)).toBe('');
  expect(events).toMatchObject([{ kind: 'protocol-error', problem }]);
});

test('garbage never rejects', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (octets) => {
      await converse(policy({ portal: directoryPortal(), onEvent: () => {} }), octets);
    }),
  );
});

test('the mind has the address of the client', async () => {
  const minds: string[] = [];
  const realm = new AvatarRealm().provide(MailDirectory, (avatarId, { remote }) => {
    minds.push(`${remote.address} ${remote.port}`);
    return new TestDirectory(avatarId);
  });
  const portal = new Portal(realm).register(new AnonymousChecker());
  expect(() => policy({ portal })).toThrow('it has no checker for TrustedLogin');
  const server = policy({ portal: portal.register(new TrustedLoginChecker()) });
  const about = { recipient: 'bob@example.com' };
  await converse(server, request(about) + request({ ...about, client_address: 'garbage' }));
  expect(minds).toEqual(['192.0.2.7 50000', '192.0.2.1 40000']);
});

test('an idle connection ends at once when the server shuts down', async () => {
  const { client, shutdown, ended } = connect(policy({ portal: directoryPortal() }));
  await client.write(request(fromAnn));
  expect(Buffer.from((await readChunk(client)) ?? []).toString()).toBe(DUNNO);
  shutdown.abort();
  // The client has not ended its side.
  await ended;
  expect(await readChunk(client)).toBeUndefined();
});

test('an unfinished request ends after its time', async () => {
  const { client, clock, ended } = connect(policy({ portal: directoryPortal() }));
  await client.write('request=smtpd_access_policy\n');
  await clock.advance(11_000);
  expect(await readChunk(client)).toBeUndefined();
  client.end();
  await ended;
});

test('a directory that does not answer closes the connection with one log entry', async () => {
  const events: LookupEvent[] = [];
  const clock = new FakeClock();
  const directory = Object.assign(new TestDirectory('ann'), { hasRecipient: () => new Promise<boolean>(() => {}) });
  const realm = new AvatarRealm().provide(MailDirectory, () => directory);
  const portal = new Portal(realm, { clock }).register(new AnonymousChecker()).register(new TrustedLoginChecker());
  const server = connect(policy({ portal, onEvent: (event) => events.push(event) }));
  await server.client.write(request({ recipient: 'bob@example.com' }));
  await settle();
  await server.clock.advance(11_000);
  expect(await readChunk(server.client)).toBeUndefined();
  server.client.end();
  await server.ended;
  expect(events).toMatchObject([
    { kind: 'error', culprit: 'us', cause: { message: expect.stringContaining('10000 ms') } },
  ]);
});

test('a client that reads no replies gets no more than the output holds', async () => {
  const { client, conversation, ended } = connect(policy({ portal: directoryPortal() }), { highWaterMark: 1_024 });
  const written = client.write(request(fromAnn).repeat(20_000));
  while (!conversation.isCongested) await settle();
  await settle();
  expect(client.unread).toBeLessThan(100_000);
  client.reset();
  await Promise.allSettled([written, ended]);
});

const ANSWERS: Readonly<Record<string, string>> = {
  'bob@example.com': DUNNO,
  'x@example.net': DUNNO,
  'nobody@example.com': UNKNOWN,
};
