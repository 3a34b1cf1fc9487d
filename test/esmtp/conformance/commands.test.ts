import { Mailbox, type ReversePath } from '@postern/esmtp';
import { describe, expect, test } from 'vitest';
import { ENVELOPE, GREETED, LOGIN, Server } from '../server.ts';
import { bodies, DATA, MESSAGE, play } from './support.ts';

describe('RFC 5321: session, commands, syntax', () => {
  test('1: the reply to HELO has one line, without keywords', async () => {
    await new Server().play(
      'S: 220 mx.example.com ESMTP\nC: HELO client.example.org\nS: 250 mx.example.com\nS: <silence>',
    );
  });

  test('2: keywords and verbs are case-insensitive', async () => {
    await play(`
      C: mail from:<ann@example.com> size=10 body=8bitmime
      S: 250...
      C: rcpt to:<bob@example.com>
      S: 250...
      C: rSeT
      S: 250...`);
  });

  test('2: each command that EHLO lists works', async () => {
    const server = new Server();
    const transcript = await server.play(`${GREETED}`, { tlsPolicy: 'offered' });
    const listed = [...transcript.matchAll(/^S: 250[- ]([A-Z0-9]+)/gm)].map(([, keyword]) => keyword);
    expect(listed).toEqual(expect.arrayContaining(['PIPELINING', 'SIZE', 'STARTTLS', 'AUTH']));
    for (const verb of ['EXPN', 'HELP', 'TURN', 'ETRN']) expect(listed).not.toContain(verb);
  });

  test('3: a bare LF does not end a line, and closes the connection', async () => {
    const over = '\nC: MAIL FROM:<eve@example.com>\nS: 500 5.5.2 A line ends with CR and LF\nS: <closed>';
    await play(`\nC: NOOP\\nMAIL FROM:<ann@example.com>${over}`);
    await play(`\nC: NOOP\\rNOOP${over}`);
    await play(`\nC: NOOP\\nBDAT 30 LAST${over}`);
    await play(`\nC: BDAT 30 LAST\\n${over}`);
  });

  test('4: octets over 127 in a command are refused', async () => {
    await play('\nC: NOÖP\nS: 500...\nC: MAIL FROM:<\\xff@example.com>\nS: 501 5.5.2 Neither ASCII nor UTF-8');
  });

  test('4: and so are control characters', async () => {
    await play(`
      C: EHLO a\\0b
      S: 501...
      C: MAIL FROM:<a\\0nn@example.com>
      S: 501...
      C: MAIL FROM:<ann@example.com> SIZE=1\\x07
      S: 501...
      C: \\0
      S: 500...
      C: NOOP a\\0b
      S: 501 5.5.4 Syntax error in the argument
      C: HELP \\x1b
      S: 501 5.5.4 Syntax error in the argument
      C: VRFY bob\\0
      S: 501 5.5.4 Syntax error in the argument
      C: NOOP \\xff
      S: 501 5.5.4 Syntax error in the argument
      C: NOOP this, that "and" more
      S: 250 2.0.0 OK`);
  });

  test('5: the greeting begins with the domain', async () => {
    await new Server({ hostname: '[192.0.2.25]' }).play('S: 220 [192.0.2.25] ESMTP');
  });

  test('6: RCPT without MAIL is 503, and DATA without either', async () => {
    await play(`
      C: RCPT TO:<bob@example.com>
      S: 503 5.5.1 Bad sequence of commands
      C: DATA
      S: 503 5.5.1 Bad sequence of commands
      C: MAIL FROM:<ann@example.com>
      S: 250...
      C: DATA
      S: 503 5.5.1 Bad sequence of commands`);
  });

  test('6: MAIL in a transaction is 503 and changes nothing; a bad argument is 501 and changes nothing', async () => {
    const server = await play(`
      C: MAIL FROM:<ann@example.com>
      S: 250...
      C: MAIL FROM:<eve@example.com>
      S: 503 5.5.1 Bad sequence of commands
      C: RCPT TO:<bob@example.com>
      S: 250...
      C: RCPT TO:nobody
      S: 501...
      C: EHLO
      S: 501...
      C: RSET now
      S: 501...${MESSAGE}`);
    expect(server.delivery.delivered[0]?.envelope.reversePath?.toString()).toBe('ann@example.com');
  });

  test('6: EHLO later is a RSET', async () => {
    await play(
      `${ENVELOPE}\nC: EHLO other.example.org\nS: 250...\nC: DATA\nS: 503...\nC: MAIL FROM:<ann@example.com>\nS: 250...`,
    );
  });

  test('7: mail is not refused for the name in EHLO', async () => {
    for (const name of [
      'localhost',
      'some_host',
      '[192.0.2.1',
      '[IPv6:2001:db8::1]',
      '192.0.2.1',
      'x'.repeat(255),
      '-',
      '(;"',
    ]) {
      const server = new Server();
      await server.play(`S: 220...\nC: EHLO ${name}\nS: 250...${LOGIN}${ENVELOPE}${MESSAGE}`);
    }
  });

  test('7: a name that is missing, is two, or is too long is 501', async () => {
    await new Server({ service: 'mx' }).play(`
      S: 220...
      C: EHLO
      S: 501 5.5.4 Expected a domain or an address literal
      C: HELO${' '}
      S: 501 5.5.4 Expected a domain or an address literal
      C: EHLO a b
      S: 501 5.5.4 Expected a domain or an address literal
      C: EHLO {repeat:256:x}
      S: 501 5.5.4 Expected a domain or an address literal
      C: MAIL FROM:<ann@example.com>
      S: 503 5.5.1 Send EHLO first`);
  });

  test('7: NOOP, HELP, VRFY, RSET and QUIT work before EHLO', async () => {
    await new Server({ authentication: 'optional' }).play(`
      S: 220...
      C: NOOP
      S: 250 2.0.0 OK
      C: HELP
      S: 214...
      C: VRFY ann
      S: 252...
      C: RSET
      S: 250 2.0.0 OK
      C: QUIT
      S: 221...
      S: <closed>`);
  });

  test('8: source routes are read and ignored', async () => {
    const server = await play(`
      C: MAIL FROM:<@relay.example.net:ann@example.com>
      S: 250...
      C: RCPT TO:<@a.example,@b.example:bob@example.com>
      S: 250...${MESSAGE}`);
    const [delivered] = server.delivery.delivered;
    expect(delivered?.envelope.reversePath?.toString()).toBe('ann@example.com');
    expect(delivered?.envelope.recipients.map(({ forwardPath }) => forwardPath.toString())).toEqual([
      'bob@example.com',
    ]);
  });

  test('8: the bare Postmaster, in any case, is a recipient, and no sender', async () => {
    const server = await play(`
      C: MAIL FROM:<Postmaster>
      S: 501 5.1.7 Missing @ and a domain after the local part
      C: MAIL FROM:<>
      S: 250...
      C: RCPT TO:<postMASTER>
      S: 250...
      C: RCPT TO:<bob>
      S: 501 5.1.3 Missing @ and a domain after the local part${MESSAGE}`);
    expect(server.delivery.delivered[0]?.envelope.recipients[0]?.forwardPath).toEqual(new Mailbox('postMASTER', ''));
  });

  test('9: the local part keeps its case; quoted and unquoted are equal', async () => {
    const seen: ReversePath[] = [];
    const server = new Server();
    server.delivery.onFrom = (path) => void seen.push(path);
    await server.play(`${GREETED}${LOGIN}
      C: MAIL FROM:<"Ann.B"@Example.COM>
      S: 250...
      C: RSET
      S: 250...
      C: MAIL FROM:<Ann.B@Example.COM>
      S: 250...`);
    expect(seen).toEqual([new Mailbox('Ann.B', 'Example.COM'), new Mailbox('Ann.B', 'Example.COM')]);
  });

  test('10: white space before the CRLF is ignored', async () => {
    await play(`\nC: NOOP  \nS: 250...\nC: MAIL FROM:<ann@example.com>  \t\nS: 250...\nC: RCPT TO:<bob@example.com> \nS: 250...
      C: RSET \nS: 250...\nC: EHLO client.example.org \nS: 250...`);
  });

  test('10: an unknown parameter is 555', async () => {
    await play(`
      C: MAIL FROM:<ann@example.com> XYZZY=1
      S: 555 5.5.4 Unknown parameter
      C: MAIL FROM:<ann@example.com> constructor
      S: 555 5.5.4 Unknown parameter
      C: MAIL FROM:<ann@example.com> TRANSID=1
      S: 555 5.5.4 Unknown parameter
      C: MAIL FROM:<ann@example.com>
      S: 250...
      C: RCPT TO:<bob@example.com> SIZE=10
      S: 555 5.5.4 Unknown parameter`);
  });

  test('10: each parameter is 555 after HELO', async () => {
    await new Server({ allowAnonymous: true, authentication: 'optional' }).play(`
      S: 220...
      C: HELO client.example.org
      S: 250...
      C: MAIL FROM:<ann@example.com> SIZE=10
      S: 555 5.5.4 Unknown parameter
      C: MAIL FROM:<ann@example.com>
      S: 250...`);
  });

  test.each([
    'MAIL',
    'MAIL FROM',
    'MAIL FROM ann@example.com',
    'MAIL TO:<ann@example.com>',
    'MAIL FROM:<ann@example.com>SIZE=10',
    'MAIL FROM:<ann@example.com> =',
    'MAIL FROM:<ann@example.com> SIZE=',
    'MAIL FROM:<ann@example.com> -X=1',
    'MAIL FROM:ann@example.com',
    'MAIL FROM:<ann@example.com',
    'MAIL FROM: ',
    'MAIL FROM:<ann@example.com> SIZE=1 SIZE=1',
    'MAIL FROM:<ann@example.com> A=b=c',
  ])('6, 10: %j is 501', async (command) => {
    await play(`\nC: ${command}\nS: {/501 5\\.(5\\.4|1\\.7) /}<any>`);
  });

  test('10: a space behind the colon is ignored', async () => {
    await play('\nC: MAIL FROM: <ann@example.com>\nS: 250...\nC: RCPT TO: <bob@example.com>\nS: 250...');
  });

  test('11: DATA, RSET, QUIT and STARTTLS take no argument; that of NOOP is ignored', async () => {
    await play(`${ENVELOPE}
      C: DATA now
      S: 501 5.5.4 No argument is allowed
      C: RSET now
      S: 501 5.5.4 No argument is allowed
      C: QUIT now
      S: 501 5.5.4 No argument is allowed
      C: NOOP whatever (this)
      S: 250 2.0.0 OK
      C: RSET
      S: 250 2.0.0 OK
      C: QUIT
      S: 221 2.0.0 mx.example.com closing the connection
      S: <closed>`);
  });

  test('12: every command gets one reply, in its order', async () => {
    const transcript = await new Server().play(`${GREETED}${LOGIN}
      C: NOOP
      C: XXXX
      C: MAIL FROM:<ann@example.com>
      C: RCPT TO:<bob@example.com>
      C: RCPT TO:bad
      C: RSET
      C: VRFY bob
      C: QUIT
      S: 250 2.0.0 OK
      S: 500 5.5.1 Command not recognised
      S: 250 2.1.0 Sender OK
      S: 250 2.1.5 Recipient OK
      S: 501 5.1.3 Missing < > around the address
      S: 250 2.0.0 OK
      S: 252 2.0.0 Cannot verify, but will take mail and try
      S: 221 2.0.0 mx.example.com closing the connection
      S: <closed>`);
    expect(transcript.split('C: QUIT')[1]?.match(/^S: /gm)).toHaveLength(9);
  });

  test('13: recognised and not implemented is 502, unrecognised is 500', async () => {
    for (const verb of ['EXPN list', 'TURN', 'ETRN example.org', 'SEND FROM:<ann@example.com>', 'SOML', 'SAML']) {
      await play(`\nC: ${verb}\nS: 502 5.5.1 Command not implemented`);
    }
    for (const verb of [
      'FOO',
      '',
      ' NOOP',
      'NOOPS',
      'MAILFROM:<ann@example.com>',
      'EHL',
      'STARTTLSX',
      '*',
      'toString',
      '__proto__',
    ]) {
      await play(`\nC: ${verb}\nS: 500 5.5.1 Command not recognised`);
    }
  });

  test('14: VRFY does not show which users exist', async () => {
    await play(
      '\nC: VRFY ann\nS: 252...\nC: VRFY nobody\nS: 252...\nC: VRFY\nS: 501 5.5.4 Syntax error in the argument',
    );
  });

  test('15: a client that disconnects cancels its transaction, and keeps completed messages', async () => {
    const server = await play(`${ENVELOPE}${MESSAGE}${ENVELOPE}${DATA}\nC: half a message\nC: <close>`);
    expect(bodies(server)).toEqual(['Subject: hi\r\n\r\nhello\r\n']);
    expect(server.delivery.calls).toEqual(['from', 'to', 'open', 'end', 'from', 'to', 'open', 'abort', 'logout']);
  });

  test('15: a client that waits too long gets 421', async () => {
    await play('\nC: <advance 301s>\nS: 421 4.4.2 Took too long, closing the connection\nS: <closed>');
  });

  test('16: the required lengths are accepted', async () => {
    const local = 'l'.repeat(64);
    const domain = `${'d'.repeat(63)}.${'e'.repeat(63)}.${'f'.repeat(59)}`;
    const server = await play(`
      C: MAIL FROM:<${local}@${domain}>
      S: 250...
      C: RCPT TO:<${local}@${domain}>
      S: 250...
      C: NOOP {repeat:505:x}
      S: 250...${DATA}
      C: {repeat:998:x}
      C: .
      S: 250...`);
    expect(`<${server.delivery.delivered[0]?.envelope.reversePath?.toString()}>`).toHaveLength(254);
  });

  test('16: longer ones are 501 and 500', async () => {
    await play(`
      C: MAIL FROM:<{repeat:243:l}@example.com>
      S: 501 5.1.7 The path is longer than 256 octets
      C: MAIL FROM:<ann@{repeat:64:d}.example.com>
      S: 501 5.1.7 A label of the domain is longer than 63 octets
      C: MAIL FROM:<ann@{repeat:130:d.}example.com>
      S: 501 5.1.7 The domain is longer than 255 octets
      C: NOOP {repeat:3000:x}
      S: 500 5.5.2 Line too long
      C: NOOP {repeat:300000:x}
      S: 500 5.5.2 Line too long
      C: NOOP
      S: 250...`);
  });

  test('16: one recipient above the limit is 452, and the earlier ones stay', async () => {
    const server = await play(
      `\nC: MAIL FROM:<ann@example.com>\nS: 250...${'\nC: RCPT TO:<bob@example.com>\nS: 250...'.repeat(3)}
      C: RCPT TO:<eve@example.com>
      S: 452 4.5.3 Too many recipients${MESSAGE}`,
      { limits: { maxRecipients: 3 } },
    );
    expect(server.delivery.delivered[0]?.envelope.recipients).toHaveLength(3);
  });

  test('16: a hundred recipients are accepted', async () => {
    const server = await play(
      `\nC: MAIL FROM:<ann@example.com>\nS: 250...${'\nC: RCPT TO:<bob@example.com>'.repeat(100)}${'\nS: 250...'.repeat(100)}${MESSAGE}`,
    );
    expect(server.delivery.delivered[0]?.envelope.recipients).toHaveLength(100);
  });

  test('18: HELP lists the available commands', async () => {
    const options = { authentication: 'optional', xclient: () => true } as const;
    const all = 'EHLO HELO AUTH STARTTLS XCLIENT MAIL RCPT DATA BDAT RSET NOOP VRFY HELP QUIT';
    await new Server(options).play(
      `${GREETED}\nC: HELP\nS: 214 2.0.0 Commands: ${all}\nC: HELP MAIL\nS: 214...\nC: STARTTLS\nS: 220...\nC: <starttls>\nC: HELP\nS: 214 2.0.0 Commands: ${all.replace('STARTTLS ', '')}`,
      { tlsPolicy: 'offered' },
    );
  });

  test('18: HELP lists no other command', async () => {
    const options = { authentication: 'none', allowAnonymous: true, disabledExtensions: ['CHUNKING'] } as const;
    const few = 'EHLO HELO MAIL RCPT DATA RSET NOOP VRFY HELP QUIT';
    await new Server(options).play(`${GREETED}\nC: HELP\nS: 214 2.0.0 Commands: ${few}`, { tlsPolicy: 'none' });
  });
});
