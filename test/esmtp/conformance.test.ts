import { Mailbox, type MailParameters, Rejection, type ReversePath } from '@postern/esmtp';
import { describe, expect, test } from 'vitest';
import { ENVELOPE, GREETED, LOGIN, Server, type ServerOptions } from './server.ts';

const DATA = '\nC: DATA\nS: 354 End data with <CR><LF>.<CR><LF>';
const MESSAGE = `${DATA}\nC: Subject: hi\nC:\nC: hello\nC: .\nS: 250 2.0.0 OK {/[a-z0-9]+/}`;

/** Plays what comes behind a login; the server is at hand afterwards. */
async function play(script: string, options: ServerOptions = {}): Promise<Server> {
  const server = new Server(options);
  await server.play(`${GREETED}${LOGIN}${script}`);
  return server;
}

/** What was delivered, without the field that the server puts before it. */
function bodies(server: Server): string[] {
  return server.delivery.delivered.map(({ text }) => text.replace(/^Received:.*(?:\r\n[ \t].*)*\r\n/, ''));
}

describe('RFC 5321: session, commands, syntax', () => {
  test('1: HELO is answered in one line, without keywords', async () => {
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

  test('2: EHLO lists nothing that is then 500 or 502', async () => {
    const server = new Server();
    const transcript = await server.play(`${GREETED}`, { tlsPolicy: 'offered' });
    const listed = [...transcript.matchAll(/^S: 250[- ]([A-Z0-9]+)/gm)].map(([, keyword]) => keyword);
    expect(listed).toEqual(expect.arrayContaining(['PIPELINING', 'SIZE', 'STARTTLS', 'AUTH']));
    for (const verb of ['EXPN', 'HELP', 'TURN', 'ETRN']) expect(listed).not.toContain(verb);
  });

  test('3: a bare LF ends no line, but the connection, since who sends one sees other commands than we do', async () => {
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

  test('7: whatever the client calls itself, mail is not refused for it', async () => {
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
      S: 501 5.5.4 A domain or an address literal is wanted
      C: HELO${' '}
      S: 501 5.5.4 A domain or an address literal is wanted
      C: EHLO a b
      S: 501 5.5.4 A domain or an address literal is wanted
      C: EHLO {repeat:256:x}
      S: 501 5.5.4 A domain or an address literal is wanted
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

  test('8: source routes are read and left out', async () => {
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

  test('8: the bare Postmaster is a recipient, in any case, and no sender', async () => {
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

  test('9: the local part keeps its case, and quoted and unquoted are one', async () => {
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

  test('10: white space before the CRLF is let pass', async () => {
    await play(`\nC: NOOP  \nS: 250...\nC: MAIL FROM:<ann@example.com>  \t\nS: 250...\nC: RCPT TO:<bob@example.com> \nS: 250...
      C: RSET \nS: 250...\nC: EHLO client.example.org \nS: 250...`);
  });

  test('10: a parameter that nobody knows is 555', async () => {
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

  test('10: and so is every one after HELO, which offered none', async () => {
    await new Server({ guests: true, authentication: 'optional' }).play(`
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

  test('10: a blank behind the colon is let pass', async () => {
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

  test('14: VRFY says nothing of who is there', async () => {
    await play(
      '\nC: VRFY ann\nS: 252...\nC: VRFY nobody\nS: 252...\nC: VRFY\nS: 501 5.5.4 Syntax error in the argument',
    );
  });

  test('15: the premature end of the client cancels the transaction and keeps what was completed', async () => {
    const server = await play(`${ENVELOPE}${MESSAGE}${ENVELOPE}${DATA}\nC: half a message\nC: <close>`);
    expect(bodies(server)).toEqual(['Subject: hi\r\n\r\nhello\r\n']);
    expect(server.delivery.calls).toEqual(['from', 'to', 'open', 'end', 'from', 'to', 'open', 'abort', 'logout']);
  });

  test('15: a client that is silent too long gets 421', async () => {
    await play('\nC: <advance 301s>\nS: 421 4.4.2 Took too long, closing the connection\nS: <closed>');
  });

  test('16: the lengths that must be taken are taken', async () => {
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

  test('16: a recipient too many is 452, and the earlier ones stay', async () => {
    const server = await play(
      `\nC: MAIL FROM:<ann@example.com>\nS: 250...${'\nC: RCPT TO:<bob@example.com>\nS: 250...'.repeat(3)}
      C: RCPT TO:<eve@example.com>
      S: 452 4.5.3 Too many recipients${MESSAGE}`,
      { limits: { maxRecipients: 3 } },
    );
    expect(server.delivery.delivered[0]?.envelope.recipients).toHaveLength(3);
  });

  test('16: a hundred recipients are not too many', async () => {
    const server = await play(
      `\nC: MAIL FROM:<ann@example.com>\nS: 250...${'\nC: RCPT TO:<bob@example.com>'.repeat(100)}${'\nS: 250...'.repeat(100)}${MESSAGE}`,
    );
    expect(server.delivery.delivered[0]?.envelope.recipients).toHaveLength(100);
  });

  test('18: HELP names the commands that there are', async () => {
    const options = { authentication: 'optional', xclient: () => true } as const;
    const all = 'EHLO HELO AUTH STARTTLS XCLIENT MAIL RCPT DATA BDAT RSET NOOP VRFY HELP QUIT';
    await new Server(options).play(
      `${GREETED}\nC: HELP\nS: 214 2.0.0 Commands: ${all}\nC: HELP MAIL\nS: 214...\nC: STARTTLS\nS: 220...\nC: <starttls>\nC: HELP\nS: 214 2.0.0 Commands: ${all.replace('STARTTLS ', '')}`,
      { tlsPolicy: 'offered' },
    );
  });

  test('18: and no others', async () => {
    const options = { authentication: 'none', guests: true, disabledExtensions: ['CHUNKING'] } as const;
    const few = 'EHLO HELO MAIL RCPT DATA RSET NOOP VRFY HELP QUIT';
    await new Server(options).play(`${GREETED}\nC: HELP\nS: 214 2.0.0 Commands: ${few}`, { tlsPolicy: 'none' });
  });
});

describe('RFC 5321: data, acceptance, trace', () => {
  test('19: the stuffed dot is taken out, and the CRLF before the end kept', async () => {
    const server = await play(`${ENVELOPE}${DATA}\nC: ..\nC: ..x\nC: .y\nC: x..\nC: .\nS: 250...`);
    expect(bodies(server)).toEqual(['.\r\n.x\r\ny\r\nx..\r\n']);
  });

  test('19: a dot at once is an empty message', async () => {
    const server = await play(`${ENVELOPE}${DATA}\nC: .\nS: 250...`);
    expect(bodies(server)).toEqual(['']);
  });

  test('20: 250 comes when the message is safe, and not before', async () => {
    const safe = Promise.withResolvers<void>();
    const server = new Server();
    server.delivery.onEnd = () => safe.promise;
    await server.play(
      `${GREETED}${LOGIN}${ENVELOPE}${DATA}\nC: hello\nC: .\nS: <silence>\nC: <raw {safe}>\nS: 250...`,
      {
        values: {
          safe: () => {
            safe.resolve();
            return '';
          },
        },
      },
    );
    expect(server.delivery.delivered).toHaveLength(1);
  });

  test("20: the id in the reply is the message's", async () => {
    const server = new Server();
    const transcript = await server.play(`${GREETED}${LOGIN}${ENVELOPE}${MESSAGE}${ENVELOPE}${MESSAGE}`);
    const ids = server.delivery.delivered.map(({ envelope }) => envelope.id);
    expect([...transcript.matchAll(/^S: 250 2\.0\.0 OK ([a-z0-9]+)$/gm)].map(([, id]) => id)).toEqual(ids);
    expect(new Set(ids).size).toBe(2);
  });

  test('21: one Received field is put before the message, and those that are there stay as they are', async () => {
    const server = await play(
      `${ENVELOPE}${DATA}\nC: Received: from a by b; Thu, 1 Jan 1970 00:00:00 +0000\nC: Subject: hi\nC:\nC: .\nS: 250...`,
    );
    const [delivered] = server.delivery.delivered;
    const unfolded = (delivered?.text ?? '').replace(/\r\n(?=[ \t])/g, '');
    expect(unfolded.split('\r\n')).toEqual([
      expect.stringMatching(
        /^Received: from client\.example\.org \(\[192\.0\.2\.1\]\) by mx\.example\.com with ESMTPSA id [a-z0-9]+ for <bob@example\.com> tls TLS_AES_256_GCM_SHA384; \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d \+0000$/,
      ),
      'Received: from a by b; Thu, 1 Jan 1970 00:00:00 +0000',
      'Subject: hi',
      '',
      '',
    ]);
  });

  test('21, 43: the "with" keyword says how the message came', async () => {
    const withOf = async (script: string, tlsPolicy: 'none' | 'implicit'): Promise<string | undefined> => {
      const server = new Server({
        guests: true,
        authentication: 'optional',
        mechanismPolicy: { allowCleartext: true },
      });
      await server.play(`S: 220...${script}`, { tlsPolicy });
      return / with (\w+)\s/.exec(server.delivery.delivered[0]?.text ?? '')?.[1];
    };
    const mail = `${ENVELOPE}${MESSAGE}`;
    const utf8 = mail.replace('FROM:<ann@example.com>', 'FROM:<ann@example.com> SMTPUTF8');
    const helo = '\nC: HELO client.example.org\nS: 250...';
    const ehlo = '\nC: EHLO client.example.org\nS: 250...';
    expect(await withOf(helo + mail, 'none')).toBe('SMTP');
    expect(await withOf(ehlo + mail, 'none')).toBe('ESMTP');
    expect(await withOf(ehlo + mail, 'implicit')).toBe('ESMTPS');
    expect(await withOf(ehlo + LOGIN + mail, 'none')).toBe('ESMTPA');
    expect(await withOf(ehlo + LOGIN + mail, 'implicit')).toBe('ESMTPSA');
    expect(await withOf(ehlo + utf8, 'none')).toBe('UTF8SMTP');
    expect(await withOf(ehlo + utf8, 'implicit')).toBe('UTF8SMTPS');
    expect(await withOf(ehlo + LOGIN + utf8, 'none')).toBe('UTF8SMTPA');
    expect(await withOf(ehlo + LOGIN + utf8, 'implicit')).toBe('UTF8SMTPSA');
  });

  test('21: a message that begins with a blank goes on with none of the Received field', async () => {
    for (const script of [
      `${DATA}\nC: \\tby forger; now\nC: .`,
      '\nC: BDAT 1\nC: <raw \\t>\nS: 250...\nC: BDAT 16 LAST\nC: by forger; now',
    ]) {
      const server = await play(`${ENVELOPE}${script}\nS: 250...`);
      expect(server.delivery.delivered[0]?.text).toMatch(/^Received: [\s\S]* \+0000\r\n\r\n\tby forger; now\r\n$/);
    }
  });

  test('22: as many Received fields as the limit are a loop', async () => {
    const fields = (count: number): string => '\nC: received: from a by b; date'.repeat(count);
    const server = await play(
      `${ENVELOPE}${DATA}${fields(100)}\nC:\nC: .\nS: 554 5.4.6 Too many Received fields: the message goes in circles`,
    );
    expect(server.delivery.calls).toEqual(['from', 'to', 'open', 'abort', 'logout']);
    await play(`${ENVELOPE}${DATA}${fields(99)}\nC:${fields(50)}\nC: .\nS: 250...`);
  });

  test('22: what is no RFC 5322 message is taken all the same', async () => {
    const server = await play(`${ENVELOPE}${DATA}\nC: no header, \\x80 and \\0 and\\x07\nC: .\nS: 250...`);
    expect(bodies(server)).toEqual(['no header, \x80 and \0 and\x07\r\n']);
  });

  test('23: a delivery refuses in its own words, and the rest goes on', async () => {
    const server = new Server();
    server.delivery.onFrom = (path) => {
      if (path?.localPart === 'eve') throw new Rejection(550, '5.7.1', 'Not yours');
    };
    server.delivery.onTo = async ({ localPart }) => {
      if (localPart === 'nobody') throw new Rejection(550, '5.1.1', 'No such mailbox');
    };
    await server.play(`${GREETED}${LOGIN}
      C: MAIL FROM:<eve@example.com>
      S: 550 5.7.1 Not yours
      C: RCPT TO:<bob@example.com>
      S: 503...
      C: MAIL FROM:<ann@example.com>
      S: 250...
      C: RCPT TO:<nobody@example.com>
      S: 550 5.1.1 No such mailbox
      C: DATA
      S: 503...
      C: RCPT TO:<bob@example.com>
      S: 250...${MESSAGE}`);
    expect(server.delivery.delivered[0]?.envelope.recipients).toHaveLength(1);
  });
});

describe('RFC 4954, beside the AUTH table', () => {
  test('24: the mechanisms stand behind the keyword, and change with TLS', async () => {
    const transcript = await new Server().play(
      `${GREETED}\nC: STARTTLS\nS: 220...\nC: <starttls>\nC: EHLO client.example.org\nS: 250...`,
      { tlsPolicy: 'offered' },
    );
    const [before, after] = [...transcript.matchAll(/^S: 250[- ]AUTH (.*)$/gm)].map(([, list]) => list?.split(' '));
    expect(before).not.toContain('PLAIN');
    // Under TLS the plain forms of SCRAM shut out clients that could bind: see binding-policy.ts of sasl.
    expect(before).toEqual(expect.arrayContaining(['SCRAM-SHA-512', 'SCRAM-SHA-256', 'CRAM-MD5']));
    expect(after).toEqual(['SCRAM-SHA3-512', 'SCRAM-SHA-512', 'CRAM-MD5', 'PLAIN', 'LOGIN']);
  });

  test('24: a MAIL line may be 500 octets longer', async () => {
    await play(
      '\nC: MAIL FROM:<ann@example.com> AUTH={repeat:485:a}@example.com\nS: 250...\nC: RSET\nS: 250...\nC: MAIL FROM:<ann@example.com> AUTH={repeat:64:a}@{repeat:50:b.c}.example.com\nS: 250...',
    );
  });

  test('40: a parameter twice is 501', async () => {
    await play('\nC: MAIL FROM:<ann@example.com> AUTH=<> AUTH=<>\nS: 501 5.5.4 Syntax error in the parameters');
  });
});

describe('RFC 3207', () => {
  test('46: STARTTLS with an argument is 501; where there is no TLS it is 502 and not advertised', async () => {
    await new Server().play(`${GREETED}\nC: STARTTLS now\nS: 501 5.5.4 No argument is allowed`, {
      tlsPolicy: 'offered',
    });
    const transcript = await new Server().play(`${GREETED}\nC: STARTTLS\nS: 502 5.5.1 TLS is not available`, {
      tlsPolicy: 'none',
    });
    expect(transcript).not.toContain('250-STARTTLS');
  });

  test('46: everything is forgotten after it, EHLO too', async () => {
    const server = new Server({ guests: true, authentication: 'optional' });
    await server.play(
      `${GREETED}\nC: STARTTLS\nS: 220 2.0.0 Ready to start TLS\nC: <starttls>\nC: MAIL FROM:<ann@example.com>\nS: 503 5.5.1 Send EHLO first
      C: EHLO other.example.org\nS: 250...${ENVELOPE}${MESSAGE}`,
      { tlsPolicy: 'offered' },
    );
    expect(server.delivery.delivered[0]?.text).toMatch(/^Received: from other\.example\.org /);
  });

  test('48, 49: not in a transaction', async () => {
    await new Server({ guests: true, authentication: 'optional' }).play(
      `${GREETED}${ENVELOPE}\nC: STARTTLS\nS: 503 5.5.1 Bad sequence of commands`,
      {
        tlsPolicy: 'offered',
      },
    );
  });
});

describe('RFC 2920', () => {
  test('51: a group of commands gets its replies in order, in one piece', async () => {
    await play(`
      C: MAIL FROM:<ann@example.com>
      C: RCPT TO:<bob@example.com>
      C: RCPT TO:<eve@example.com>
      C: DATA
      S: 250 2.1.0 Sender OK
      S: 250 2.1.5 Recipient OK
      S: 250 2.1.5 Recipient OK
      S: 354 End data with <CR><LF>.<CR><LF>
      C: hello
      C: .
      C: QUIT
      S: 250...
      S: 221...
      S: <closed>`);
  });

  test('51: nothing is lost when the data comes behind DATA without waiting', async () => {
    const one = '\nC: MAIL FROM:<ann@example.com>\nC: RCPT TO:<bob@example.com>\nC: DATA\nC: hello\nC: .';
    const replies = '\nS: 250 2.1.0 Sender OK\nS: 250 2.1.5 Recipient OK\nS: 354...\nS: 250...';
    const server = await play(`${one.repeat(3)}${replies.repeat(3)}`);
    expect(bodies(server)).toEqual(['hello\r\n', 'hello\r\n', 'hello\r\n']);
  });

  test('51: 354 is only for at least one valid recipient; the commands behind a refused DATA are commands', async () => {
    const server = new Server();
    server.delivery.onTo = () => {
      throw new Rejection(550, '5.1.1', 'No such mailbox');
    };
    await server.play(`${GREETED}${LOGIN}
      C: MAIL FROM:<ann@example.com>
      C: RCPT TO:<nobody@example.com>
      C: DATA
      C: RSET
      S: 250...
      S: 550...
      S: 503 5.5.1 Bad sequence of commands
      S: 250...`);
  });
});

describe('RFC 1870', () => {
  const limits = { maxMessageSize: 1000 };

  test('53: the limit is advertised, and a larger size refused at MAIL', async () => {
    await new Server({ limits }).play(
      `S: 220...\nC: EHLO client.example.org\nS: 250-mx.example.com\nS: 250-PIPELINING\nS: 250-SIZE 1000\nS: 250...`,
    );
    await play(
      `
      C: MAIL FROM:<ann@example.com> SIZE=1001
      S: 552 5.3.4 Message size exceeds the fixed limit
      C: MAIL FROM:<ann@example.com> SIZE=99999999999999999999
      S: 552 5.3.4 Message size exceeds the fixed limit
      C: MAIL FROM:<ann@example.com> SIZE=1000
      S: 250...`,
      { limits },
    );
  });

  test.each(['SIZE', 'SIZE=', 'SIZE=-1', 'SIZE=1e3', 'SIZE=0x10', 'SIZE=+5', 'SIZE=999999999999999999999'])(
    '53: %s is 501',
    async (size) => {
      await play(`\nC: MAIL FROM:<ann@example.com> ${size}\nS: 501...`);
    },
  );

  test('53: what is larger than the limit is heard to its end and not delivered; the size declared is no limit', async () => {
    const server = await play(
      `\nC: MAIL FROM:<ann@example.com> SIZE=10\nS: 250...\nC: RCPT TO:<bob@example.com>\nS: 250...${DATA}
      C: {repeat:999:x}
      C: .
      S: 552 5.3.4 Message size exceeds the fixed limit${ENVELOPE.replace('ann@example.com>', 'ann@example.com> SIZE=10')}${DATA}
      C: {repeat:998:x}
      C: .
      S: 250...`,
      { limits },
    );
    expect(bodies(server).map(({ length }) => length)).toEqual([1000]);
  });

  test('53: stuffed dots do not count', async () => {
    await play(`${ENVELOPE}${DATA}\nC: ..{repeat:997:x}\nC: .\nS: 250...`, { limits });
  });

  test('53: without a limit none is advertised', async () => {
    await new Server({ limits: { maxMessageSize: Number.POSITIVE_INFINITY } }).play(
      'S: 220...\nC: EHLO client.example.org\nS: 250-mx.example.com\nS: 250-PIPELINING\nS: 250-SIZE\nS: 250...',
    );
  });
});

describe('RFC 6152', () => {
  test('54: BODY is 7BIT or 8BITMIME, once; all bits come through', async () => {
    const seen: MailParameters[] = [];
    const server = new Server();
    server.delivery.onFrom = (_path, parameters) => void seen.push(parameters);
    await server.play(`${GREETED}${LOGIN}
      C: MAIL FROM:<ann@example.com> BODY=9BIT
      S: 501...
      C: MAIL FROM:<ann@example.com> BODY
      S: 501...
      C: MAIL FROM:<ann@example.com> BODY=7BIT BODY=7BIT
      S: 501...
      C: MAIL FROM:<ann@example.com> BODY=7bit
      S: 250...
      C: RSET
      S: 250...
      C: MAIL FROM:<ann@example.com> BODY=8BITMIME
      S: 250...
      C: RCPT TO:<bob@example.com>
      S: 250...${DATA}
      C: \\x80\\xff\\xfe
      C: .
      S: 250...`);
    expect(seen.map(({ body }) => body)).toEqual(['7BIT', '8BITMIME']);
    expect(bodies(server)).toEqual(['\x80\xff\xfe\r\n']);
  });
});

describe('RFC 6531', () => {
  test('57: UTF-8 in a mailbox needs the parameter', async () => {
    const server = await play(`
      C: MAIL FROM:<änn@example.com>
      S: 550 5.6.7 An address with such characters needs SMTPUTF8
      C: MAIL FROM:<ann@example.com>
      S: 250...
      C: RCPT TO:<bob@exämple.com>
      S: 553 5.6.7 An address with such characters needs SMTPUTF8
      C: RSET
      S: 250...
      C: MAIL FROM:<änn@exämple.com> SMTPUTF8
      S: 250...
      C: RCPT TO:<"bö b"@例え.example>
      S: 250...${MESSAGE}`);
    const [delivered] = server.delivery.delivered;
    expect(delivered?.envelope.reversePath).toEqual(new Mailbox('änn', 'exämple.com'));
    expect(delivered?.envelope.recipients[0]?.forwardPath).toEqual(new Mailbox('bö b', '例え.example'));
    expect(delivered?.envelope.parameters.smtpUtf8).toBe(true);
    expect(Buffer.from(delivered?.text ?? '', 'latin1').toString()).toContain('for <"bö b"@例え.example>');
  });

  test('57: the parameter has no value, and bad UTF-8 is none', async () => {
    await play(`
      C: MAIL FROM:<ann@example.com> SMTPUTF8=yes
      S: 501...
      C: MAIL FROM:<\\xc0\\xaf@example.com> SMTPUTF8
      S: 501 5.5.2 Neither ASCII nor UTF-8
      C: MAIL FROM:<\\xed\\xa0\\x80@example.com> SMTPUTF8
      S: 501 5.5.2 Neither ASCII nor UTF-8
      C: MAIL FROM:<ann@example.com> SMTPUTF8
      S: 250...`);
  });

  test('57: replies are ASCII', async () => {
    const server = new Server();
    server.delivery.onTo = () => {
      throw new Rejection(550, '5.1.1', 'kein Postfach für bö\r\n250 2.0.0 OK');
    };
    await server.play(`${GREETED}${LOGIN}
      C: MAIL FROM:<ann@example.com> SMTPUTF8
      S: 250...
      C: RCPT TO:<bö@example.com>
      S: 550 5.1.1 kein Postfach f?r b???250 2.0.0 OK`);
  });
});

describe('RFC 2034', () => {
  test('59: every reply of 2xx, 4xx and 5xx but the greeting and EHLO has an enhanced code of its class, no 3xx has one', async () => {
    const transcript = await new Server().play(`${GREETED}${LOGIN}${ENVELOPE}${MESSAGE}
      C: HELP
      S: 214...
      C: VRFY x
      S: 252...
      C: XXXX
      S: 500...
      C: EXPN x
      S: 502...
      C: DATA
      S: 503...
      C: MAIL FROM:<>
      S: 250...
      C: MAIL
      S: 503...
      C: QUIT
      S: 221...`);
    const [, ...replies] = transcript.split('235 ')[1]?.match(/^S: .*$/gm) ?? [];
    for (const line of replies) {
      const [, code = ''] = /^S: (\d{3})/.exec(line) ?? [];
      if (code === '354') expect(line).not.toMatch(/^S: \d{3} \d\.\d/);
      else expect(line).toMatch(new RegExp(`^S: \\d{3}[ -]${code[0]}\\.\\d{1,3}\\.\\d{1,3} `));
    }
  });
});

describe('RFC 6409', () => {
  test('60: MAIL without AUTH is 530 by default', async () => {
    await new Server({ guests: true }).play(
      `${GREETED}\nC: MAIL FROM:<ann@example.com>\nS: 530 5.7.0 Authentication required`,
    );
  });

  test('60: the null reverse-path is no reason to refuse', async () => {
    const server = await play(`\nC: MAIL FROM:<>\nS: 250...\nC: RCPT TO:<bob@example.com>\nS: 250...${MESSAGE}`);
    expect(server.delivery.delivered[0]?.envelope.reversePath).toBeNull();
  });
});
