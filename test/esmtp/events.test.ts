import {
  type Anonymous,
  AnonymousChecker,
  AvatarRealm,
  type Checker,
  InMemoryUsernamePasswordDatabaseDontUse,
  LoginDenied,
  Portal,
  TrustedLoginChecker,
  UsernamePassword,
} from '@postern/cred';
import { type EsmtpEvent, esmtp, type Message, MessageDelivery, Rejection, Reply } from '@postern/esmtp';
import { dialogue } from '@postern/testing';
import { afterEach, beforeEach, describe, expect, type MockInstance, test, vi } from 'vitest';
import { ENVELOPE, GREETED, LOGIN, RecordingDelivery, Server } from './server.ts';

type Kind = EsmtpEvent['kind'];

/** Returns the events of a kind, with addresses and replies as strings. */
function told<K extends Kind>({ events }: Server, kind: K): Extract<EsmtpEvent, { kind: K }>[] {
  return events.filter((event): event is Extract<EsmtpEvent, { kind: K }> => event.kind === kind);
}

const line = (reply: Reply | undefined): string => String(reply).trimEnd();

describe('a refusal', () => {
  test('of a sender is an event with the reply, the sender and the user', async () => {
    const server = new Server();
    server.delivery.onFrom = () => {
      throw new Rejection(550, '5.7.1', 'Not your address');
    };
    await server.play(`${GREETED}${LOGIN}\nC: MAIL FROM:<eve@example.com>\nS: 550 5.7.1 Not your address`);
    const [refused, ...more] = told(server, 'sender-refused');
    expect([String(refused?.sender), refused?.avatarId, line(refused?.reply)]).toEqual([
      'eve@example.com',
      'ann',
      '550 5.7.1 Not your address',
    ]);
    expect(more).toEqual([]);
  });

  test('of each recipient is an event with the recipient and the sender', async () => {
    const server = new Server();
    server.delivery.onTo = ({ localPart }) => {
      if (localPart !== 'bob') throw new Rejection(550, '5.1.1', `No ${localPart} here`);
    };
    await server.play(`${GREETED}${LOGIN}${ENVELOPE}
      C: RCPT TO:<eve@example.com>
      S: 550 5.1.1 No eve here
      C: RCPT TO:<kim@example.com>
      S: 550 5.1.1 No kim here`);
    expect(
      told(server, 'recipient-refused').map(({ recipient, sender, reply }) => [
        String(recipient),
        String(sender),
        line(reply),
      ]),
    ).toEqual([
      ['eve@example.com', 'ann@example.com', '550 5.1.1 No eve here'],
      ['kim@example.com', 'ann@example.com', '550 5.1.1 No kim here'],
    ]);
  });

  test.each([
    ['C: MAIL FROM:<ann@example.com>', '530 5.7.0 Authentication required', 'sender-refused'],
    ['C: RCPT TO:<bob@example.com>', '530 5.7.0 Authentication required', 'recipient-refused'],
    ['C: DATA', '530 5.7.0 Authentication required', 'command-refused'],
    ['C: MAIL FROM:ann', '530 5.7.0 Authentication required', 'command-refused'],
    ['C: AUTH NONE', '504 5.5.4 Unrecognised authentication mechanism', 'command-refused'],
    ['C: WHATEVER', '500 5.5.1 Command not recognised', 'command-refused'],
  ] as const)('of %s is %s, and an event', async (command, reply, kind) => {
    const server = new Server();
    await server.play(`${GREETED}\n${command}\nS: ${reply}`);
    expect(told(server, kind).map((event) => line(event.reply))).toEqual([reply]);
  });

  test('of a command names the command, and of an unknown line names none', async () => {
    const server = new Server();
    await server.play(`${GREETED}\nC: DATA\nS: 530...\nC: WHATEVER\nS: 500...\nC: VRFY\nS: 530...`);
    expect(told(server, 'command-refused').map(({ verb }) => verb)).toEqual(['DATA', undefined, 'VRFY']);
  });

  test('by the policy of the server is the same event as one by the delivery', async () => {
    const server = new Server({ service: 'submission', limits: { maxRecipients: 1 } });
    await server.play(`${GREETED}${LOGIN}
      C: MAIL FROM:<ann@sales>
      S: 554...${ENVELOPE}
      C: RCPT TO:<eve@example.com>
      S: 452...`);
    expect(told(server, 'sender-refused').map(({ reply }) => reply.code)).toEqual([554]);
    expect(told(server, 'recipient-refused').map(({ reply }) => reply.code)).toEqual([452]);
  });

  test('that closes the connection is an event, also after the event of a login', async () => {
    const server = new Server({ limits: { maxLoginFailures: 1 } });
    await server.play(
      `${GREETED}\nC: AUTH PLAIN {base64:\\0ann\\0wrong}\nS: 421 4.7.0 Too many failed logins\nS: <closed>`,
    );
    expect(told(server, 'login-refused').map(({ reply }) => reply.code)).toEqual([535]);
    expect(told(server, 'command-refused').map(({ reply }) => line(reply))).toEqual([
      '421 4.7.0 Too many failed logins',
    ]);
  });

  test('of a login is one event, without an event of the command', async () => {
    const server = new Server();
    await server.play(`${GREETED}\nC: AUTH PLAIN {base64:\\0ann\\0wrong}\nS: 535...`);
    expect(server.kinds()).toEqual(['connected', 'login-refused', 'closed']);
  });

  test('after an error of the server is an event beside the error', async () => {
    const server = new Server();
    const bug = new Error('no such table');
    server.delivery.onTo = () => {
      throw bug;
    };
    await server.play(`${GREETED}${LOGIN}
      C: MAIL FROM:<ann@example.com>
      S: 250...
      C: RCPT TO:<bob@example.com>
      S: 451 4.3.0 Something went wrong here, try again later`);
    expect(told(server, 'error').map(({ cause }) => cause)).toEqual([bug]);
    expect(told(server, 'recipient-refused').map(({ recipient }) => String(recipient))).toEqual(['bob@example.com']);
  });

  test.each(['C: DATA', 'C: BDAT 2 LAST\nC:'])('of a message that cannot be opened is one event: %j', async (sent) => {
    const server = new Server();
    server.delivery.onOpen = () => {
      throw new Rejection(452, '4.3.1', 'Disk full');
    };
    await server.play(`${GREETED}${LOGIN}${ENVELOPE}\n${sent}\nS: 452 4.3.1 Disk full`);
    expect(told(server, 'message-refused').map(({ reply }) => line(reply))).toEqual(['452 4.3.1 Disk full']);
    expect(told(server, 'command-refused')).toEqual([]);
  });
});

describe('a message', () => {
  const SENT = '\nC: DATA\nS: 354...\nC: hello\nC: .';

  test('that is accepted has the user, and the next servers’ replies with their recipients', async () => {
    const taken = new Reply(250, '2.0.0', 'Ok: queued as 4Qz');
    class Relaying extends RecordingDelivery {
      override openMessage(): Message {
        const replies = [taken, new Reply(550, '5.1.1', 'No eve'), taken];
        return {
          nextHop: (at) => ({ host: 'next.example.net', success: 'relayed', reply: replies[at] }),
          isNotified: () => true,
          write() {},
          end: () => replies.map((reply) => (reply.positive ? undefined : reply)),
          abort() {},
        };
      }
    }
    const server = new Server({ delivery: new Relaying() });
    const more = '\nC: RCPT TO:<eve@example.com>\nS: 250...\nC: RCPT TO:<kim@example.com>\nS: 250...';
    await server.play(`${GREETED}${LOGIN}${ENVELOPE}${more}${SENT}\nS: 250 2.0.0 OK <any>`);
    const [event] = told(server, 'message-accepted');
    expect(event).toMatchObject({
      avatarId: 'ann',
      failed: [{ recipient: 'eve@example.com', reply: { code: 550 } }],
      nextHops: [{ host: 'next.example.net', reply: taken, recipients: ['bob@example.com', 'kim@example.com'] }],
    });
  });

  test('is accepted although its nextHop throws', async () => {
    const bug = new Error('no host');
    class Broken extends RecordingDelivery {
      override openMessage(): Message {
        const nextHop = (): never => {
          throw bug;
        };
        return { nextHop, write() {}, end() {}, abort() {} };
      }
    }
    const server = new Server({ delivery: new Broken() });
    await server.play(`${GREETED}${LOGIN}${ENVELOPE}${SENT}\nS: 250 2.0.0 OK <any>`);
    expect(told(server, 'message-accepted').map(({ nextHops }) => nextHops)).toEqual([[]]);
    expect(told(server, 'error').map(({ cause }) => cause)).toEqual([bug]);
  });

  test('that each recipient refuses differently names each with its reply', async () => {
    const server = new Server();
    server.delivery.onEnd = () => [new Reply(552, '5.2.2', 'Full'), new Reply(451, '4.3.0', 'Later')];
    const eve = '\nC: RCPT TO:<eve@example.com>\nS: 250...';
    await server.play(`${GREETED}${LOGIN}${ENVELOPE}${eve}${SENT}\nS: 451 4.3.0 Later`);
    const [event] = told(server, 'message-refused');
    expect(event?.failed.map(({ recipient, reply }) => [recipient, reply.code])).toEqual([
      ['bob@example.com', 552],
      ['eve@example.com', 451],
    ]);
  });
});

describe('a client that does not speak SMTP', () => {
  test.each([
    ['TLS', '\\x16\\x03\\x01'],
    ['HTTP', 'GET / HTTP/1.1'],
  ] as const)('is named: %s', async (protocol, beginning) => {
    const server = new Server();
    await server.play(`S: 220...\nC: ${beginning}\nS: 502 5.5.1 This is SMTP\nS: <closed>`, { tlsPolicy: 'none' });
    expect(server.kinds()).toEqual(['connected', 'foreign-protocol', 'closed']);
    expect(told(server, 'foreign-protocol')).toMatchObject([{ protocol, reply: { code: 502 } }]);
  });
});

describe('the user name of a failed login', () => {
  const WRONG = `${GREETED}\nC: AUTH PLAIN {base64:\\0ann\\0wrong}\nS: 535...`;

  test('is in no event', async () => {
    const server = new Server();
    await server.play(WRONG);
    expect(told(server, 'login-refused')[0]).not.toHaveProperty('username');
  });

  test('is in the event with logUsernames', async () => {
    const server = new Server({ logUsernames: true });
    await server.play(WRONG);
    expect(told(server, 'login-refused').map(({ username }) => username)).toEqual(['ann']);
  });
});

describe('without a listener', () => {
  let emitted: MockInstance<typeof process.emitWarning>;
  beforeEach(() => {
    emitted = vi.spyOn(process, 'emitWarning').mockReturnValue();
  });
  afterEach(() => {
    emitted.mockRestore();
  });
  const deaf = (portal: Portal) => esmtp({ hostname: 'mx.example.com', portal, limits: { minFailureDelay: 0 } });
  const failing = (error: Error): Checker<UsernamePassword> => ({
    credentialInterfaces: [UsernamePassword],
    requestAvatarId() {
      throw error;
    },
  });
  const AUTH = '\nC: AUTH PLAIN {base64:\\0ann\\0secret}\nS: 454 4.7.0 Temporary authentication failure';
  const realm = (): AvatarRealm => new AvatarRealm().provide(MessageDelivery, () => new RecordingDelivery());

  test('an error of a checker is a warning of the process, with its cause, once', async () => {
    const bug = new Error('no such table');
    const server = deaf(new Portal(realm()).register(failing(bug)));
    await dialogue(server, `${GREETED}${AUTH}${AUTH}`, { tlsPolicy: 'implicit' });
    await dialogue(server, `${GREETED}${AUTH}`, { tlsPolicy: 'implicit' });
    expect(emitted).toHaveBeenCalledExactlyOnceWith(
      expect.objectContaining({
        name: 'PosternWarning',
        message: 'smtp: AUTH failed: a checker or realm failed: no such table',
        cause: expect.objectContaining({ cause: bug }),
      }),
    );
  });

  test('an object literal in place of a MessageDelivery is a warning that names the class', async () => {
    const literal = { validateFrom() {}, validateTo() {}, openMessage() {} } as unknown as MessageDelivery;
    const users = new InMemoryUsernamePasswordDatabaseDontUse({ ann: 'secret' });
    const server = deaf(new Portal(new AvatarRealm().provide(MessageDelivery, () => literal)).register(users));
    await dialogue(server, `${GREETED}${AUTH}`, { tlsPolicy: 'implicit' });
    const [warning] = emitted.mock.calls[0] as unknown as [Error];
    expect(warning.message).toContain(
      'the realm returned an object literal, which is no instance of MessageDelivery; expected an object of a class that extends it',
    );
  });

  test('an error of the client is no warning', async () => {
    const denying = failing(new LoginDenied('disabled'));
    const server = deaf(new Portal(realm()).register(denying));
    const wrong = '\nC: AUTH PLAIN {base64:\\0ann\\0secret}\nS: 535...\nC: NONSENSE\nS: 500...';
    await dialogue(server, `${GREETED}${wrong}`, { tlsPolicy: 'implicit' });
    expect(emitted).not.toHaveBeenCalled();
  });

  test('a listener that throws or rejects causes a warning', async () => {
    for (const onEvent of [
      () => {
        throw new Error('no log');
      },
      () => Promise.reject(new Error('no log')),
    ]) {
      emitted.mockClear();
      const server = new Server({ onEvent: onEvent as () => void });
      await server.play(`${GREETED}${LOGIN}\nC: QUIT\nS: 221...\nS: <closed>`);
      expect(emitted).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ message: 'onEvent failed: no log' }));
    }
  });
});

describe('a server that refuses each client does not start', () => {
  const realm = (): AvatarRealm => new AvatarRealm().provide(MessageDelivery, () => new RecordingDelivery());
  const users = () => new InMemoryUsernamePasswordDatabaseDontUse({ ann: 'secret' });
  const start = (portal: Portal, options: Partial<Parameters<typeof esmtp>[0]> = {}) => {
    esmtp({ hostname: 'mx.example.com', portal, ...options });
  };
  const anonymous: Checker<Anonymous> = new AnonymousChecker();

  test('without a portal', () => {
    expect(() => start(undefined as never)).toThrow('portal: expected a Portal with a realm and a checker');
  });

  test('without a realm for MessageDelivery', () => {
    const portal = new Portal(new AvatarRealm()).register(users());
    expect(() => start(portal)).toThrow(/its realm provides no MessageDelivery; call realm\.provide\(MessageDelivery/);
  });

  test('without a checker for any mechanism', () => {
    expect(() => start(new Portal(realm()))).toThrow(/no checker for any mechanism.*register a checker of one of/);
    expect(() => start(new Portal(realm()), { authentication: 'optional' })).toThrow(/or an AnonymousChecker before/);
  });

  test('without a checker for anonymous clients where there is no AUTH', () => {
    const portal = new Portal(realm()).register(users());
    expect(() => start(portal, { service: 'lmtp' })).toThrow(/call portal\.register\(new AnonymousChecker\(\)\)/);
  });

  test('a server that accepts some client starts', () => {
    start(new Portal(realm()).register(users()));
    start(new Portal(realm()).register(anonymous), { service: 'mx' });
    start(new Portal(realm()).register(anonymous), { service: 'lmtp' });
    start(new Portal(realm()).register(new TrustedLoginChecker()), { xclient: () => true });
    start(new Portal({ requestAvatar: (...login) => realm().requestAvatar(...login) }).register(users()));
  });
});
