import { describe, expect, test } from 'vitest';
import { LOGIN, Server } from '../server.ts';

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
  });
});
