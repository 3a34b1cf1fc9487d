import { Mailbox, type MailParameters, Rejection } from '@postern/esmtp';
import { describe, expect, test } from 'vitest';
import { ENVELOPE, GREETED, LOGIN, Server } from '../server.ts';
import { bodies, DATA, MESSAGE, play } from './support.ts';

describe('RFC 4954, beside the AUTH table', () => {
  test('24: the mechanisms follow the keyword, and change with TLS', async () => {
    const transcript = await new Server().play(
      `${GREETED}\nC: STARTTLS\nS: 220...\nC: <starttls>\nC: EHLO client.example.org\nS: 250...`,
      { tlsPolicy: 'offered' },
    );
    const [before, after] = [...transcript.matchAll(/^S: 250[- ]AUTH (.*)$/gm)].map(([, list]) => list?.split(' '));
    expect(before).not.toContain('PLAIN');
    // With TLS, SCRAM without -PLUS would exclude clients that bind: see sasl's binding-policy.ts.
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

  test('46: the server forgets the session after it, EHLO included', async () => {
    const server = new Server({ allowAnonymous: true, authentication: 'optional' });
    await server.play(
      `${GREETED}\nC: STARTTLS\nS: 220 2.0.0 Ready to start TLS\nC: <starttls>\nC: MAIL FROM:<ann@example.com>\nS: 503 5.5.1 Send EHLO first
      C: EHLO other.example.org\nS: 250...${ENVELOPE}${MESSAGE}`,
      { tlsPolicy: 'offered' },
    );
    expect(server.delivery.delivered[0]?.text).toMatch(/^Received: from other\.example\.org /);
  });

  test('48, 49: not in a transaction', async () => {
    await new Server({ allowAnonymous: true, authentication: 'optional' }).play(
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

  test('51: data that is pipelined behind DATA is the message', async () => {
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

  test('53: a message over the limit is heard to its end and not delivered; the declared size is no limit', async () => {
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
  test('54: BODY is 7BIT or 8BITMIME, once; all bits are preserved', async () => {
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

  test('57: the parameter has no value, and bad UTF-8 is refused', async () => {
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
    await new Server({ allowAnonymous: true }).play(
      `${GREETED}\nC: MAIL FROM:<ann@example.com>\nS: 530 5.7.0 Authentication required`,
    );
  });

  test('60: the null reverse-path is accepted', async () => {
    const server = await play(`\nC: MAIL FROM:<>\nS: 250...\nC: RCPT TO:<bob@example.com>\nS: 250...${MESSAGE}`);
    expect(server.delivery.delivered[0]?.envelope.reversePath).toBeNull();
  });
});
