import { describe, expect, test } from 'vitest';
import { GREETED, LOGIN, Server } from '../server.ts';

describe('hostile input', () => {
  test('of lines that are too long is refused, and the next line is heard', async () => {
    await new Server().play(`${GREETED}
      C: {repeat:3000:x}
      S: -ERR unknown command
      C: NOOP {repeat:3000:x}
      S: -ERR line too long
      C: {repeat:200000:x}
      S: -ERR line too long
      C: RETR {repeat:100000:9}
      S: -ERR line too long
      C: PASS {repeat:4096:x}
      S: -ERR send USER first
      C: QUIT
      S: +OK POP3 server signing off
    `);
  });

  test.each(['NOOP\\nQUIT', 'NOOP\\rQUIT', '\\r', 'NOOP\\r\\r'])('of bare line endings closes: %s', async (line) => {
    await new Server().play(`${GREETED}
      C: ${line}
      S: -ERR a line ends with CR and LF
      S: <closed>
    `);
  });

  test('of NUL and 8-bit octets is an unknown command', async () => {
    await new Server().play(`${GREETED}
      C: NO\\0OP
      S: -ERR unknown command
      C: \\xff\\xfe
      S: -ERR unknown command
      C: CAPA\\0
      S: -ERR unknown command
    `);
  });

  test('of HTTP and TLS on a plain port ends at once', async () => {
    const http = new Server();
    await http.play(`${GREETED}
      C: GET / HTTP/1.1
      S: -ERR this is a POP3 server
      S: <closed>
    `);
    expect(http.kinds()).toContain('foreign-protocol');
    const tls = new Server();
    await tls.play(`${GREETED}
      C: <raw \\x16\\x03\\x01>
      S: -ERR this is a POP3 server
      S: <closed>
    `);
    expect(tls.kinds()).toContain('foreign-protocol');
  });

  test('ends after too many errors', async () => {
    await new Server({ limits: { maxErrors: 3 } }).play(`${GREETED}
      C: X
      S: -ERR unknown command
      C: RETR x
      S: -ERR log in first
      C: X
      S: -ERR too many errors
      S: <closed>
    `);
  });

  test('ends after too many commands that read no message', async () => {
    const server = new Server({ limits: { undelayedJunkCommands: 3, maxJunkCommands: 5, junkCommandDelay: 10 } });
    await server.play(`${LOGIN}
      C: NOOP
      S: +OK
      C: STAT
      S: <silence>
      C: <advance 10ms>
      S: +OK 2 80
      C: LIST 1
      S: +OK 1 34
      C: NOOP
      C: <advance 10ms>
      S: +OK
      C: NOOP
      S: -ERR too many commands that read no message
      S: <closed>
    `);
  });

  test('of a client that ends its side behind its last command gets each reply', async () => {
    const server = new Server();
    await server.play(`${LOGIN}
      C: <raw DELE 1\\r\\nQUIT\\r\\n>
      C: <end>
      S: +OK message 1 deleted
      S: +OK POP3 server signing off
      S: <closed>
    `);
    expect(server.mailbox.calls).toEqual(['update [0] []', 'logout']);
  });

  test('of a QUIT without its CRLF removes nothing', async () => {
    const server = new Server();
    await server.play(`${LOGIN}
      C: <raw DELE 1\\r\\nQUIT>
      C: <end>
      S: +OK message 1 deleted
      S: <closed>
    `);
    expect(server.mailbox.calls).toEqual(['logout']);
  });
});
