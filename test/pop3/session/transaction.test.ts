import { describe, expect, test } from 'vitest';
import { GREETED, LOGIN, RecordingMailbox, Server } from '../server.ts';

describe('a session', () => {
  test('reads, marks and removes messages', async () => {
    const server = new Server();
    await server.play(`${LOGIN}
      C: STAT
      S: +OK 2 80
      C: LIST
      S: +OK 2 messages (80 octets)
      S: 1 34
      S: 2 46
      S: .
      C: UIDL
      S: +OK unique-id listing follows
      S: 1 uid-1
      S: 2 uid-2
      S: .
      C: RETR 1
      S: +OK 34 octets
      S: Subject: one
      S: 
      S: Hello
      S: ..
      S: ...dots
      S: .
      C: TOP 2 1
      S: +OK top of message follows
      S: Subject: two
      S: X: y
      S: 
      S: line 1
      S: .
      C: DELE 2
      S: +OK message 2 deleted
      C: QUIT
      S: +OK POP3 server signing off
      S: <closed>
    `);
    expect(server.mailbox.calls).toEqual(['open 0', 'close', 'open 1', 'close', 'update [1] [0]', 'logout']);
    expect(server.kinds()).toEqual(['connected', 'authenticated', 'mailbox-closed', 'closed']);
    expect(server.events[2]).toMatchObject({
      avatarId: 'ann',
      reason: 'quit',
      messages: 2,
      retrieved: 1,
      octets: 34 + 30,
      deleted: 1,
    });
  });

  test('keeps the numbers of messages after DELE, and forgets the marks at RSET', async () => {
    const server = new Server();
    await server.play(`${LOGIN}
      C: DELE 1
      S: +OK message 1 deleted
      C: DELE 1
      S: -ERR message 1 already deleted
      C: RETR 1
      S: -ERR message 1 already deleted
      C: TOP 1 0
      S: -ERR message 1 already deleted
      C: LIST 1
      S: -ERR message 1 already deleted
      C: STAT
      S: +OK 1 46
      C: LIST
      S: +OK 1 messages (46 octets)
      S: 2 46
      S: .
      C: UIDL
      S: +OK unique-id listing follows
      S: 2 uid-2
      S: .
      C: LIST 2
      S: +OK 2 46
      C: UIDL 2
      S: +OK 2 uid-2
      C: RSET
      S: +OK maildrop has 2 messages (80 octets)
      C: STAT
      S: +OK 2 80
      C: QUIT
      S: +OK POP3 server signing off
      S: <closed>
    `);
    expect(server.mailbox.calls).toEqual(['update [] []', 'logout']);
  });

  test('removes nothing without QUIT', async () => {
    for (const end of ['<end>', '<close>', '<reset>']) {
      const server = new Server();
      await server.play(`${LOGIN}
        C: DELE 1
        S: +OK message 1 deleted
        C: ${end}
      `);
      expect(server.mailbox.calls).toEqual(['logout']);
      expect(server.events).toContainEqual(
        expect.objectContaining({ kind: 'mailbox-closed', reason: 'disconnected', deleted: 0 }),
      );
    }
  });

  test('sends the whole message for a TOP of 99999999 lines, and counts it as read', async () => {
    const server = new Server();
    await server.play(`${LOGIN}
      C: TOP 1 99999999
      S: +OK top of message follows
      S: Subject: one
      S: 
      S: Hello
      S: ..
      S: ...dots
      S: .
      C: QUIT
      S: +OK POP3 server signing off
    `);
    expect(server.mailbox.calls).toContain('update [] [0]');
  });

  test('ends a message without a CRLF at its end', async () => {
    const mailbox = new RecordingMailbox(['Subject: a\r\n\r\nno end', '']);
    await new Server({ mailbox }).play(`${LOGIN}
      C: RETR 1
      S: +OK 20 octets
      S: Subject: a
      S: 
      S: no end
      S: .
      C: RETR 2
      S: +OK 0 octets
      S: .
    `);
  });

  test.each([1, 2, 3, 7, 20])('sends octets as they are stored, in reads of %d octets', async (chunkOctets) => {
    const text = 'Subject: \xe4\r\n\r\n.\r\n..\xff\x00\r\n.a\r\n';
    const mailbox = new RecordingMailbox([Buffer.from(text, 'latin1')]);
    mailbox.chunkOctets = chunkOctets;
    await new Server({ mailbox }).play(`${LOGIN}
      C: RETR 1
      S: +OK ${text.length} octets
      S: Subject: \ufffd
      S: 
      S: ..
      S: ...\ufffd\0
      S: ..a
      S: .
    `);
  });

  test('counts a number outside the mailbox as an error, and that of a marked message as none', async () => {
    await new Server({ limits: { maxErrors: 2 } }).play(`${LOGIN}
      C: DELE 1
      S: +OK message 1 deleted
      C: RETR 1
      S: -ERR message 1 already deleted
      C: DELE 1
      S: -ERR message 1 already deleted
      C: LIST 1
      S: -ERR message 1 already deleted
      C: UIDL 3
      S: -ERR no such message, only 2 messages in maildrop
      C: RETR 3
      S: -ERR too many errors
      S: <closed>
    `);
  });

  test('refuses message numbers outside the mailbox', async () => {
    await new Server().play(`${LOGIN}
      C: RETR 0
      S: -ERR no such message, only 2 messages in maildrop
      C: RETR 3
      S: -ERR no such message, only 2 messages in maildrop
      C: DELE 99999999999999999999
      S: -ERR no such message, only 2 messages in maildrop
      C: RETR -1
      S: -ERR invalid message number
      C: TOP 1
      S: -ERR syntax error
      C: TOP 1 x
      S: -ERR syntax error
    `);
  });

  test('answers pipelined commands in their order', async () => {
    await new Server().play(`${GREETED}
      C: USER ann
      C: PASS secret
      C: STAT
      C: RETR 2
      C: DELE 2
      C: NOOP
      C: QUIT
      S: +OK send PASS
      S: +OK maildrop has 2 messages (80 octets)
      S: +OK 2 80
      S: +OK 46 octets
      S: Subject: two
      S: X: y
      S: 
      S: line 1
      S: line 2
      S: line 3
      S: .
      S: +OK message 2 deleted
      S: +OK
      S: +OK POP3 server signing off
      S: <closed>
    `);
  });

  test('lists more messages than fit into one part', async () => {
    const mailbox = new RecordingMailbox([]);
    mailbox.messages = Array.from({ length: 1_100 }, (_, index) => ({ octets: index, uid: `u${index}` }));
    const lines = mailbox.messages.slice(1).map((_, index) => `S: ${index + 2} u${index + 1}\n`);
    await new Server({ mailbox }).play(`${LOGIN}
      C: DELE 1
      S: +OK message 1 deleted
      C: UIDL
      S: +OK unique-id listing follows
      ${lines.join('')}S: .
    `);
  });
});

describe('a command outside its phase', () => {
  test.each(['STAT', 'LIST', 'UIDL', 'RETR 1', 'DELE 1', 'NOOP', 'RSET', 'TOP 1 0'])(
    '%s before the login is -ERR, and the session continues',
    async (command) => {
      await new Server().play(`${GREETED}
        C: ${command}
        S: -ERR log in first
        C: QUIT
        S: +OK POP3 server signing off
        S: <closed>
      `);
    },
  );

  test.each(['USER ann', 'PASS secret', 'APOP ann c4c9334bac560ecc979e58001b3e22fb', 'AUTH PLAIN', 'STLS', 'UTF8'])(
    '%s after the login is -ERR',
    async (command) => {
      await new Server().play(`${LOGIN}
        C: ${command}
        S: -ERR command not valid after login
      `);
    },
  );

  test('LAST is -ERR in both phases, and no error after the login', async () => {
    await new Server({ limits: { maxErrors: 2 } }).play(`${GREETED}
      C: LAST
      S: -ERR unknown command
      C: USER ann
      S: +OK send PASS
      C: PASS secret
      S: +OK <any>
      C: LAST
      S: -ERR unknown command
      C: LAST
      S: -ERR unknown command
      C: STAT
      S: +OK 2 80
    `);
  });
});

describe('CAPA', () => {
  test('lists the same capabilities before and after the login', async () => {
    const server = new Server({ challengers: [], disabledLoginCommands: ['APOP'] });
    const capabilities = `
      C: CAPA
      S: +OK Capability list follows
      S: TOP
      S: UIDL
      S: RESP-CODES
      S: AUTH-RESP-CODE
      S: PIPELINING
      S: EXPIRE NEVER
      S: UTF8 USER
      S: USER
      S: IMPLEMENTATION Postern
      S: .`;
    await server.play(`${GREETED.replace(' <any>', '')}${capabilities}
      C: UTF8
      S: +OK UTF8 enabled
      C: USER ann
      S: +OK send PASS
      C: PASS secret
      S: +OK <any>${capabilities}
    `);
  });
});
