import { AvatarRealm, InMemoryUsernamePasswordDatabaseDontUse, Portal } from '@postern/cred';
import { Mailbox, MessageGone } from '@postern/pop3';
import { describe, expect, test } from 'vitest';
import { LOGIN, RecordingMailbox, Server } from '../server.ts';

const NEVER = (): Promise<void> => new Promise(() => {});

describe('a mailbox that fails', () => {
  test('at open refuses the message, and the session continues', async () => {
    const server = new Server();
    server.mailbox.onOpen = (index) => {
      if (index === 0) throw new Error('EIO');
    };
    await server.play(`${LOGIN}
      C: RETR 1
      S: -ERR [SYS/TEMP] message not available
      C: TOP 2 0
      S: +OK top of message follows
      S: Subject: two
      S: X: y
      S: 
      S: .
    `);
    expect(server.kinds()).toEqual([
      'connected',
      'authenticated',
      'error',
      'command-refused',
      'mailbox-closed',
      'closed',
    ]);
    expect(server.events[2]).toMatchObject({ culprit: 'us', during: 'RETR' });
    expect(server.events[4]).toMatchObject({ retrieved: 0 });
  });

  test('at open because the message is gone is no error of the server', async () => {
    const server = new Server();
    server.mailbox.onOpen = () => Promise.reject(new MessageGone());
    await server.play(`${LOGIN}
      C: RETR 1
      S: -ERR no such message, another program has removed it
      C: STAT
      S: +OK 2 80
    `);
    expect(server.kinds()).not.toContain('error');
  });

  test('at the first read refuses the message, and closes the content', async () => {
    const server = new Server();
    server.mailbox.onRead = () => Promise.reject(new Error('EIO'));
    await server.play(`${LOGIN}
      C: RETR 1
      S: -ERR [SYS/TEMP] message not available
      C: NOOP
      S: +OK
    `);
    expect(server.mailbox.calls).toEqual(['open 0', 'close', 'logout']);
  });

  test.each(['throws', 'rejects'])(
    'within a message closes the connection, so that it is incomplete (%s)',
    async (how) => {
      const server = new Server();
      server.mailbox.chunkOctets = 14;
      server.mailbox.onRead = (reads) => {
        if (reads < 1) return;
        if (how === 'throws') throw new Error('EIO');
        return Promise.reject(new Error('EIO'));
      };
      await server.play(`${LOGIN}
      C: RETR 1
      C: DELE 2
      C: QUIT
      S: +OK 34 octets
      S: Subject: one
      S: <closed>
    `);
      expect(server.mailbox.calls).toEqual(['open 0', 'close', 'logout']);
      expect(server.kinds()).toEqual(['connected', 'authenticated', 'error', 'mailbox-closed', 'closed']);
      expect(server.events[3]).toMatchObject({ retrieved: 0, deleted: 0 });
    },
  );

  test('at close is one error, and the session continues', async () => {
    const server = new Server();
    server.mailbox.onClose = () => Promise.reject(new Error('EIO'));
    await server.play(`${LOGIN}
      C: TOP 1 0
      S: +OK top of message follows
      S: Subject: one
      S: 
      S: .
      C: NOOP
      S: +OK
    `);
    expect(server.kinds().filter((kind) => kind === 'error')).toHaveLength(1);
  });

  test('at update answers QUIT with -ERR, and logs out once', async () => {
    const server = new Server();
    server.mailbox.onUpdate = () => Promise.reject(new Error('EROFS'));
    await server.play(`${LOGIN}
      C: DELE 1
      S: +OK message 1 deleted
      C: QUIT
      S: -ERR [SYS/TEMP] some deleted messages not removed
      S: <closed>
    `);
    expect(server.mailbox.calls).toEqual(['update [0] []', 'logout']);
    expect(server.kinds()).toEqual(['connected', 'authenticated', 'error', 'mailbox-closed', 'closed']);
  });

  test('at the logout is one error, and QUIT succeeds', async () => {
    const mailbox = Object.assign(new RecordingMailbox(), {
      [Symbol.dispose](): void {
        throw new Error('the lock is gone');
      },
    });
    const server = new Server({ mailbox });
    await server.play(`${LOGIN}
      C: QUIT
      S: +OK POP3 server signing off
      S: <closed>
    `);
    expect(server.kinds().filter((kind) => kind === 'error')).toHaveLength(1);
  });
});

describe('a mailbox that hangs', () => {
  test('at open is given up, and a content that comes later is closed', async () => {
    const server = new Server();
    const opened = Promise.withResolvers<void>();
    server.mailbox.onOpen = () => opened.promise;
    await server.play(`${LOGIN}
      C: RETR 1
      S: <silence>
      C: <advance 120s>
      S: -ERR [SYS/TEMP] message not available
      C: NOOP
      S: +OK
    `);
    expect(server.mailbox.calls).toEqual(['open 0', 'logout']);
    opened.resolve();
    await expect.poll(() => server.mailbox.calls).toContain('close');
  });

  test('within a message closes the connection', async () => {
    const server = new Server();
    server.mailbox.chunkOctets = 14;
    server.mailbox.onRead = (reads) => (reads === 1 ? NEVER() : undefined);
    await server.play(`${LOGIN}
      C: RETR 1
      S: +OK 34 octets
      S: Subject: one
      C: <advance 120s>
      S: <closed>
    `);
    expect(server.mailbox.calls).toEqual(['open 0', 'close', 'logout']);
  });

  test('at update is given up', async () => {
    const server = new Server();
    server.mailbox.onUpdate = NEVER;
    await server.play(`${LOGIN}
      C: DELE 1
      S: +OK message 1 deleted
      C: QUIT
      C: <advance 120s>
      S: -ERR [SYS/TEMP] some deleted messages not removed
      S: <closed>
    `);
  });
});

describe('the lock', () => {
  test('is released before the reply to QUIT', async () => {
    const calls: string[] = [];
    const unlocked = Promise.withResolvers<void>();
    const realm = new AvatarRealm().provide(Mailbox, () =>
      Object.assign(new RecordingMailbox(), {
        [Symbol.asyncDispose]: async () => {
          await unlocked.promise;
          calls.push('unlocked');
        },
      }),
    );
    const users = new InMemoryUsernamePasswordDatabaseDontUse({ ann: 'secret' });
    const server = new Server({ portal: new Portal(realm).register(users) });
    const played = server.play(
      `${LOGIN}
      C: QUIT
      S: <silence>
      C: {unlock}
      S: +OK POP3 server signing off
      S: <closed>
    `,
      {
        values: {
          unlock: () => {
            unlocked.resolve();
            return 'x';
          },
        },
      },
    );
    await played;
    expect(calls).toEqual(['unlocked']);
  });
});
