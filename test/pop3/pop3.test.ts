import { Conversation } from '@postern/conversation';
import { AvatarRealm, InMemoryUsernamePasswordDatabaseDontUse, Portal } from '@postern/cred';
import { InMemoryMailbox, Mailbox, MessageGone, type Pop3Options, pop3 } from '@postern/pop3';
import { plain } from '@postern/sasl';
import { memoryPipe, readChunk, settle } from '@postern/testing';
import { describe, expect, test } from 'vitest';
import { Server } from './server.ts';

function portal(): Portal {
  const realm = new AvatarRealm().provide(Mailbox, () => new InMemoryMailbox());
  return new Portal(realm).register(new InMemoryUsernamePasswordDatabaseDontUse({ ann: 'secret' }));
}

describe('pop3()', () => {
  test('has the scheme of its URLs', () => {
    expect(pop3({ hostname: 'pop.example.com', portal: portal() }).scheme).toBe('pop3');
  });

  test.each<[string, Partial<Pop3Options>, string]>([
    ['a hostname that is no domain', { hostname: 'pop example' }, 'hostname: expected an ASCII domain'],
    ['no portal', { portal: undefined as unknown as Portal }, 'portal: expected a Portal'],
    ['a realm without mailboxes', { portal: new Portal(new AvatarRealm()) }, 'its realm provides no Mailbox'],
    [
      'a portal without a checker',
      { portal: new Portal(new AvatarRealm().provide(Mailbox, () => new InMemoryMailbox())) },
      'it has no checker for any mechanism',
    ],
    [
      'login commands that do not exist',
      { disabledLoginCommands: ['LOGIN' as 'USER'] },
      'disabledLoginCommands: expected USER or APOP, not "LOGIN"',
    ],
    ['a mechanism twice', { challengers: [plain(), plain()] }, 'PLAIN occurs twice'],
    ['an unknown limit', { limits: { maxLines: 1 } as Pop3Options['limits'] & object }, 'unknown limit "maxLines"'],
  ])('refuses %s', (_name, options, message) => {
    expect(() => pop3({ hostname: 'pop.example.com', portal: portal(), ...options })).toThrow(TypeError);
    expect(() => pop3({ hostname: 'pop.example.com', portal: portal(), ...options })).toThrow(message);
  });

  test('refuses a limit that is too small', () => {
    const limits = { maxCommandLine: 40 };
    expect(() => pop3({ hostname: 'pop.example.com', portal: portal(), limits })).toThrow(
      new RangeError('limits.maxCommandLine: expected 255 or more, not 40'),
    );
  });
});

test('pipelined commands of a login that does not wait get their replies in one write', async () => {
  const { client, server } = memoryPipe({ tlsPolicy: 'implicit' });
  const ended = new Server().protocol(new Conversation(server));
  await settle();
  await readChunk(client);
  await client.write('USER ann\r\nPASS secret\r\nSTAT\r\nRETR 1\r\nRETR 2\r\nDELE 1\r\nLIST\r\nQUIT\r\n');
  const chunk = Buffer.from((await readChunk(client)) ?? []).toString();
  expect(chunk).toMatch(/^\+OK send PASS\r\n.*\+OK POP3 server signing off\r\n$/s);
  client.end();
  await ended;
});

describe('an in-memory mailbox', () => {
  test('has the octets and different ids of its messages', () => {
    const { messages } = new InMemoryMailbox(['\u00e4\r\n', '\u00e4\r\n']);
    expect(messages.map(({ octets }) => octets)).toEqual([4, 4]);
    expect(new Set(messages.map(({ uid }) => uid)).size).toBe(2);
    expect(messages[0]?.uid).toMatch(/^[0-9a-f]{32}$/);
  });

  test('loses the messages that QUIT removes', async () => {
    const mailbox = new InMemoryMailbox(['a\r\n', 'b\r\n']);
    mailbox.update([0]);
    expect(mailbox.contents.map(String)).toEqual(['b\r\n']);
    expect(() => mailbox.open(0)).toThrow(MessageGone);
  });
});
