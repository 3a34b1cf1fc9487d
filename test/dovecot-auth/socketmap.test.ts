import { AvatarRealm, Portal } from '@postern/cred';
import { type LookupEvent, MailDirectory, socketmap } from '@postern/dovecot-auth';
import { readChunk, settle } from '@postern/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { connect, converse, directoryPortal, TestDirectory } from './lookup.ts';

const netstring = (text: string): string => `${Buffer.byteLength(text)}:${text},`;

const ANSWERS: readonly (readonly [string, string])[] = [
  ['senders ann@example.com', 'OK ann'],
  ['senders team@example.com', 'OK ann,bob'],
  ['senders nobody@example.com', 'NOTFOUND '],
  ['senders @example.com', 'NOTFOUND '],
  ['senders ', 'NOTFOUND '],
  ['recipients bob@example.com', 'OK OK'],
  ['recipients nobody@example.com', 'NOTFOUND '],
  ['recipients x@example.net', 'NOTFOUND '],
  ['recipients down@example.com', 'TEMP temporary failure'],
  ['senders down@example.com', 'TEMP temporary failure'],
  ['constructor x', 'PERM unknown map: expected senders or recipients'],
  ['senders', 'PERM unknown map: expected senders or recipients'],
  ['', 'PERM unknown map: expected senders or recipients'],
];

describe.each([false, true])('a directory that waits: %s', (waits) => {
  test.each(ANSWERS)('%s', async (request, answer) => {
    const server = socketmap({ portal: directoryPortal(waits), onEvent: () => {} });
    expect(await converse(server, netstring(request))).toBe(netstring(answer));
  });
});

test('any number of requests, in any slicing, has its answers in order', async () => {
  const questions = fc.array(fc.constantFrom(...ANSWERS), { minLength: 1, maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(questions, fc.integer({ min: 1 }), fc.boolean(), async (asked, seed, waits) => {
      const server = socketmap({ portal: directoryPortal(waits), onEvent: () => {} });
      const text = asked.map(([request]) => netstring(request)).join('');
      const replies = await converse(server, text, { chunks: { seed } });
      expect(replies).toBe(asked.map(([, answer]) => netstring(answer)).join(''));
    }),
    { numRuns: 40 },
  );
});

test.each([
  ['no digit', 'x:a,', 'octets that are no netstring'],
  ['no length', ':a,', 'octets that are no netstring'],
  ['a leading zero', '01:a,', 'octets that are no netstring'],
  ['a sign', '-1:a,', 'octets that are no netstring'],
  ['TLS', '\x16\x03\x01', 'octets that are no netstring'],
  ['no comma', '1:ab', 'a netstring without a comma at its end'],
  ['a length beyond the limit', '100000:', 'a netstring of more than 8192 octets'],
  ['an endless length', '9'.repeat(5_000), 'a netstring of more than 8192 octets'],
])('%s closes the connection with one log entry', async (_, octets, problem) => {
  const events: LookupEvent[] = [];
  const server = socketmap({ portal: directoryPortal(), onEvent: (event) => events.push(event) });
  const good = netstring('senders ann@example.com');
  expect(await converse(server, good + octets + good)).toBe(netstring('OK ann'));
  expect(events).toMatchObject([{ kind: 'protocol-error', problem }]);
});

test('garbage never rejects', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (octets) => {
      await converse(socketmap({ portal: directoryPortal(), onEvent: () => {} }), octets);
    }),
  );
});

test('a failure is one event, and the connection continues', async () => {
  const events: LookupEvent[] = [];
  const server = socketmap({ portal: directoryPortal(), onEvent: (event) => events.push(event) });
  const text = netstring('senders down@example.com') + netstring('senders ann@example.com');
  expect(await converse(server, text)).toBe(netstring('TEMP temporary failure') + netstring('OK ann'));
  expect(events).toMatchObject([{ kind: 'error', culprit: 'us' }]);
});

test('a request that stops ends after its time', async () => {
  const { client, clock, ended } = connect(socketmap({ portal: directoryPortal() }));
  await client.write('10:send');
  await clock.advance(11_000);
  expect(await readChunk(client)).toBeUndefined();
  client.end();
  await ended;
});

test('an idle connection ends at once when the server shuts down', async () => {
  const { client, shutdown, ended } = connect(socketmap({ portal: directoryPortal() }));
  await client.write(netstring('senders ann@example.com'));
  expect(Buffer.from((await readChunk(client)) ?? []).toString()).toBe(netstring('OK ann'));
  shutdown.abort();
  // The client has not ended its side.
  await ended;
  expect(await readChunk(client)).toBeUndefined();
});

test('a client that reads no replies gets no more than the output holds', async () => {
  const { client, conversation, ended } = connect(socketmap({ portal: directoryPortal() }), { highWaterMark: 1_024 });
  const written = client.write(netstring('recipients bob@example.com').repeat(20_000));
  while (!conversation.isCongested) await settle();
  await settle();
  expect(client.unread).toBeLessThan(10_000);
  client.reset();
  await Promise.allSettled([written, ended]);
});

test('a portal without a checker for Anonymous is a TypeError', () => {
  const realm = new AvatarRealm().provide(MailDirectory, (avatarId) => new TestDirectory(avatarId));
  expect(() => socketmap({ portal: new Portal(realm) })).toThrow('it has no checker for Anonymous');
});
