import { type Envelope, formatReceived } from '@postern/esmtp';
import { testMind } from '@postern/testing';
import { describe, expect, test } from 'vitest';
import { GREETED, LOGIN, Server } from '../server.ts';

const HELLO = `
S: 220 mx.example.com ESMTP
C: HELO printer
S: 250 mx.example.com`;
const MESSAGE = `
C: DATA
S: 354...
C: Subject: hi
C: .
S: 250...`;
const LHLO = `
S: 220 mx.example.com LMTP
C: LHLO client.example.org
S: 250...`;

const MX = { service: 'mx', requireQualifiedDomains: false } as const;

function envelopeOf(server: Server): Envelope | undefined {
  return server.delivery.delivered[0]?.envelope;
}

describe('underscores in domains', () => {
  test.each<[string, Server, string]>([
    ['submission', new Server(), GREETED + LOGIN],
    ['an MX', new Server({ ...MX, allowAnonymous: true }), GREETED],
    ['LMTP', new Server({ service: 'lmtp', allowAnonymous: true }), LHLO],
  ])('are accepted by %s', async (_, server, begin) => {
    await server.play(`${begin}
      C: MAIL FROM:<bounce@em_1.news.example.com>
      S: 250 2.1.0 Sender OK
      C: RCPT TO:<root@web_1.example.com>
      S: 250 2.1.5 Recipient OK`);
  });
});

describe('a long local part', () => {
  const reply = `reply+${'0c'.repeat(45)}@reply.example.com`;

  test.each<[string, Server, string]>([
    ['submission', new Server(), GREETED + LOGIN],
    ['an MX', new Server({ ...MX, allowAnonymous: true }), GREETED],
    ['LMTP', new Server({ service: 'lmtp', allowAnonymous: true }), LHLO],
  ])('is accepted by %s, also as ORCPT', async (_, server, begin) => {
    await server.play(`${begin}
      C: MAIL FROM:<SRS0=fGv9=BC=some.sender.example.net=bounce-4IDNASXYtY-FG21s4IoV1XzCfCtHkb2RZY@forward.example.net>
      S: 250 2.1.0 Sender OK
      C: RCPT TO:<${reply}> ORCPT=rfc822;${reply.replace('+', '+2B')}
      S: 250 2.1.5 Recipient OK${MESSAGE}`);
    expect(envelopeOf(server)?.recipients[0]?.forwardPath.toString()).toBe(reply);
  });
});

describe('EHLO with a name that is not a domain', () => {
  test.each<[string, string, string]>([
    ['blanks', 'my pc', 'my pc'],
    ['UTF-8', 'MÜLLER-PC', 'MÜLLER-PC'],
    ['Latin-1', 'M\\xdcLLER-PC', 'MÜLLER-PC'],
    ['a C1 control in Latin-1', 'a\\x85b', 'a?b'],
    ['a bidi override', 'pc\u202egpj.exe', 'pc?gpj.exe'],
    ['a tag character', 'pc\u{e0041}', 'pc?'],
    ['an underscore', 'my_pc', 'my_pc'],
  ])('continues at a submission server: %s', async (_, said, name) => {
    const server = new Server();
    await server.play(`
      S: 220...
      C: EHLO ${said}
      S: 250...${LOGIN}
      C: MAIL FROM:<ann@example.com>
      S: 250...
      C: RCPT TO:<bob@example.com>
      S: 250...${MESSAGE}`);
    expect(server.events).toContainEqual(expect.objectContaining({ kind: 'invalid-client-name', name }));
    expect(server.events[0]?.mind.clientName).toBe(name);
    expect(server.delivery.delivered[0]?.text).toContain('Received: from unknown (');
  });

  test('continues in LMTP', async () => {
    await new Server({ service: 'lmtp', allowAnonymous: true }).play('S: 220...\nC: LHLO my pc\nS: 250...');
  });

  test.each(['my pc', 'MÜLLER-PC', 'M\\xdcLLER-PC'])('is 501 at an MX: %s', async (name) => {
    const server = new Server({ ...MX, allowAnonymous: true });
    await server.play(`S: 220...\nC: EHLO ${name}\nS: 501 5.5.4 Expected a domain or an address literal`);
    expect(server.kinds()).not.toContain('invalid-client-name');
  });

  test.each(['a\\0b', 'a\\x1bb', 'a\\x7fb', '{repeat:128:ä}'])(
    'is 501 with %s, a control character or too long',
    async (name) => {
      await new Server({ lenient: true }).play(
        `S: 220...\nC: EHLO ${name}\nS: 501 5.5.4 Expected a domain or an address literal`,
      );
    },
  );

  test('reports no event for a domain', async () => {
    const server = new Server();
    await server.play(`${GREETED}\nC: EHLO [192.0.2.1]\nS: 250...\nC: HELO pc\nS: 250...`);
    expect(server.kinds()).not.toContain('invalid-client-name');
  });

  test('is not in Received, in UTF-8 either', () => {
    const envelope = {
      id: 'x',
      recipients: [],
      reversePath: null,
      parameters: { smtpUtf8: true },
    } as unknown as Envelope;
    const trace = {
      avatarId: 'ann',
      envelope,
      hostname: 'mx.example.com',
      protocol: 'ESMTP',
      date: new Date(0),
      remoteName: undefined,
    };
    expect(formatReceived({ ...trace, mind: testMind({ clientName: 'müller.example' }) })).toContain('from unknown (');
  });
});

describe('a bare user', () => {
  test('is a recipient in LMTP', async () => {
    const server = new Server({ service: 'lmtp', allowAnonymous: true });
    await server.play(`${LHLO}
      C: MAIL FROM:<ann@example.com>
      S: 250...
      C: RCPT TO:<root>
      S: 250 2.1.5 Recipient OK${MESSAGE}`);
    expect(envelopeOf(server)?.recipients[0]?.forwardPath).toMatchObject({ localPart: 'root', domain: '' });
    expect(server.delivery.delivered[0]?.text).toContain('for <root>');
  });

  test('is no sender there, and no recipient in SMTP', async () => {
    await new Server({ service: 'lmtp', allowAnonymous: true }).play(
      `${LHLO}\nC: MAIL FROM:<root>\nS: 501 5.1.7 Missing @ and a domain after the local part`,
    );
    await new Server({ lenient: true }).play(
      `${GREETED}${LOGIN}\nC: MAIL FROM:<ann@example.com>\nS: 250...\nC: RCPT TO:<root>\nS: 501 5.1.3 Missing @ and a domain after the local part`,
    );
  });
});

describe('a lenient server', () => {
  test('accepts addresses without angle brackets', async () => {
    const server = new Server({ lenient: true });
    await server.play(`${GREETED}${LOGIN}
      C: MAIL FROM: ann@example.com SIZE=10
      S: 250...
      C: RCPT TO:bob@example.com
      S: 250...
      C: RCPT TO: "joe doe"@example.com NOTIFY=NEVER
      S: 250...
      C: RCPT TO:
      S: 501 5.1.3 The path is empty
      C: RCPT TO:<bob@example.com
      S: 501 5.1.3 Missing > after the address
      C: RCPT TO:bob@example.com>
      S: 501 5.1.3 The domain holds a character that is not allowed${MESSAGE}`);
    expect(envelopeOf(server)?.parameters.size).toBe(10);
    expect(envelopeOf(server)?.recipients.map(({ forwardPath }) => forwardPath.toString())).toEqual([
      'bob@example.com',
      '"joe doe"@example.com',
    ]);
  });

  test('passes loose dots on unchanged', async () => {
    const server = new Server({ lenient: true });
    const paths = [
      'a..b@mobile.example.jp',
      'a.b.@mobile.example.jp',
      '.a@mobile.example.jp',
      '"a..b"@mobile.example.jp',
    ];
    await server.play(`${GREETED}${LOGIN}
      C: MAIL FROM:<a..b@mobile.example.jp>
      S: 250...${paths.map((path) => `\nC: RCPT TO:<${path}>\nS: 250...`).join('')}${MESSAGE}`);
    expect(envelopeOf(server)?.reversePath?.toString()).toBe('a..b@mobile.example.jp');
    expect(envelopeOf(server)?.recipients.map(({ forwardPath }) => forwardPath.toString())).toEqual(paths);
  });

  test('accepts AUTH after HELO, and still no parameters', async () => {
    await new Server({ lenient: true }).play(`${HELLO}
      C: AUTH PLAIN {base64:\\0ann\\0secret}
      S: 235 2.7.0 Authentication succeeded
      C: MAIL FROM:<ann@example.com> SIZE=10
      S: 555...
      C: MAIL FROM:<ann@example.com>
      S: 250...`);
  });

  test('accepts base64 without padding, and nothing in its place', async () => {
    await new Server({ lenient: true }).play(`${GREETED}
      C: AUTH PLAIN AGFubgBzZWNyZXQ
      S: 235 2.7.0 Authentication succeeded`);
    await new Server({ lenient: true, authentication: 'optional' }).play(`${GREETED}
      C: AUTH LOGIN
      S: 334...
      C: YW5u
      S: 334...
      C: c2VjcmV0!
      S: 501 5.5.2 Malformed authentication response
      C: AUTH PLAIN AGFubgBzZWNyZXR
      S: 501 5.5.2 Malformed authentication response
      C: AUTH PLAIN AGFubgBzZWNyZXQ==
      S: 501 5.5.2 Malformed authentication response
      C: AUTH PLAIN AGFub
      S: 501 5.5.2 Malformed authentication response`);
  });

  test('accepts odd names and submitters at an MX too', async () => {
    await new Server({ ...MX, lenient: true, allowAnonymous: true }).play(
      'S: 220...\nC: EHLO my pc\nS: 250...\nC: MAIL FROM:<ann@example.com> AUTH=joe\nS: 250...',
    );
  });

  test('is strict about the ends of lines and about BDAT', async () => {
    const bare = await new Server({ lenient: true }).play(
      `${GREETED}\nC: NOOP\\nNOOP\nS: 500 5.5.2 <any>\nS: <closed>`,
    );
    expect(bare).toContain('A line ends with CR and LF');
    await new Server({ lenient: true }).play(`${GREETED}\nC: BDAT  5\nS: 501...\nS: <closed>`);
  });
});

test('without the option each of these is an error', async () => {
  await new Server().play(`${GREETED}
    C: AUTH PLAIN AGFubgBzZWNyZXQ
    S: 501 5.5.2 Malformed authentication response${LOGIN}
    C: MAIL FROM: ann@example.com
    S: 501 5.1.7 Missing < > around the address
    C: MAIL FROM:<a..b@example.com>
    S: 501 5.1.7 A local part may not begin or end with a dot, or hold two in a row, unless quoted`);
  await new Server().play(`${HELLO}\nC: AUTH PLAIN AGFubgBzZWNyZXQ=\nS: 503 5.5.1 Bad sequence of commands`);
});

describe('a reply to a bad address', () => {
  test.each<[string, string]>([
    ['<ann@example..com>', 'The domain has an empty label'],
    ['<joe doe@example.com>', 'A local part may not hold a blank unless quoted'],
    ['<>', 'The path is empty'],
    ['<ann@-example.com>', 'A label of the domain may not begin or end with a hyphen'],
    ['<ann@[192.0.2.300]>', 'Syntax error in the address literal'],
    ['<ann@>', 'The domain is empty'],
    ['<@example.com>', 'The local part is empty'],
    ['<"ann@example.com>', 'The quoted local part has no closing quote'],
    ['<ann\\xc2\\x85@example.com>', 'An address may not hold control or format characters'],
    ['<ann\u202e@example.com>', 'An address may not hold control or format characters'],
    ['<ann\\xe2\\x80\\xa8@example.com>', 'An address may not hold control or format characters'],
    ['<ann@exam\u00adple.com>', 'An address may not hold control or format characters'],
  ])('%s says: %s', async (path, text) => {
    const server = new Server();
    const transcript = await server.play(`${GREETED}${LOGIN}
      C: MAIL FROM:<ann@example.com> SMTPUTF8
      S: 250...
      C: RCPT TO:${path}
      S: 501 5.1.3 ${text}`);
    for (const line of transcript.split('\n').filter((one) => one.startsWith('S: 501'))) {
      expect(line).toMatch(/^[ -~]{1,512}$/);
    }
  });

  test('is 5.1.7 for a sender', async () => {
    await new Server().play(
      `${GREETED}${LOGIN}\nC: MAIL FROM:<ann\u2066@example.com> SMTPUTF8\nS: 501 5.1.7 An address may not hold control or format characters`,
    );
  });

  test.each([
    'utf-8;a\u202eb@example.com',
    'utf-8;a\\x{85}b@example.com',
    'utf-8;a\\x{2028}b@example.com',
    'utf-8;a\u{e0041}@example.com',
  ])('ORCPT=%s is 501', async (orcpt) => {
    await new Server().play(`${GREETED}${LOGIN}
        C: MAIL FROM:<ann@example.com> SMTPUTF8
        S: 250...
        C: RCPT TO:<bob@example.com> ORCPT=${orcpt.replace(/[\\{}]/g, '\\$&')}
        S: 501 5.5.4 Syntax error in a parameter`);
  });

  test('VRFY with such a character is 501', async () => {
    await new Server().play(`${GREETED}${LOGIN}\nC: VRFY ann\u202e\nS: 501 5.5.4 Syntax error in the argument`);
  });
});
