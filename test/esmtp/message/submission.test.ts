import { describe, expect, test } from 'vitest';
import { ENVELOPE, GREETED, LOGIN, Server, type ServerOptions } from '../server.ts';

const submission = (options: ServerOptions = {}): Server => new Server({ service: 'submission', ...options });
const DATA = '\nC: DATA\nS: 354...';

/** What is delivered of these lines, without the field of trace. */
async function submit(lines: string, options: ServerOptions = {}): Promise<string> {
  const server = submission(options);
  const said = lines === '' ? '' : lines.replace(/^/gm, '\nC: ').replace(/\n\n/g, '\n');
  await server.play(`${GREETED}${LOGIN}${ENVELOPE}${DATA}${said}\nC: .\nS: 250...`);
  return (server.delivery.delivered[0]?.text ?? '').replace(/^Received:.*(?:\r\n[ \t].*)*\r\n/, '');
}

const DATE = String.raw`Date: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d \+0000\r\n`;
const MESSAGE_ID = String.raw`Message-ID: <[a-z0-9]+@mx\.example\.com>\r\n`;

describe('a submission server', () => {
  test('requires authentication before a transaction', async () => {
    await submission({ allowAnonymous: true }).play(
      `${GREETED}\nC: MAIL FROM:<ann@example.com>\nS: 530 5.7.0 Authentication required\nC: RCPT TO:<bob@example.com>\nS: 530...\nC: DATA\nS: 530...`,
    );
  });

  test('advertises the extensions of RFC 6409, and neither ETRN nor ATRN', async () => {
    const transcript = await submission().play(
      `${GREETED}${LOGIN}\nC: ETRN example.com\nS: 502...\nC: ATRN\nS: 500...`,
      {
        tlsPolicy: 'offered',
        client: { family: 'IPv4', address: '127.0.0.1', port: 1 },
      },
    );
    for (const keyword of ['PIPELINING', 'ENHANCEDSTATUSCODES', 'DSN', '8BITMIME', 'AUTH .*', 'STARTTLS'])
      expect(transcript).toMatch(new RegExp(`^S: 250[- ]${keyword}$`, 'm'));
    expect(transcript).not.toMatch(/^S: 250.[EA]TRN/m);
  });

  test('refuses domains that are not fully qualified, and the transaction stays as it was', async () => {
    await submission().play(`${GREETED}${LOGIN}
      C: MAIL FROM:<ann@sales>
      S: 554 5.7.1 The domain of the sender is not fully qualified
      C: MAIL FROM:<ann@example.com>
      S: 250...
      C: RCPT TO:<bob@sales>
      S: 554 5.7.1 The domain of the recipient is not fully qualified
      C: DATA
      S: 503...
      C: RCPT TO:<bob@sales.example.com>
      S: 250...`);
  });

  test.each(['<>', '<ann@[192.0.2.1]>', '<ann@[IPv6:2001:db8::1]>', '<ann@localhost>', '<ann@LOCALHOST>', '<a@b.c>'])(
    'accepts the reverse-path %s',
    async (path) => {
      await submission().play(
        `${GREETED}${LOGIN}\nC: MAIL FROM:${path}\nS: 250...\nC: RCPT TO:<Postmaster>\nS: 250...`,
      );
    },
  );

  test('refuses an invalid address with 501', async () => {
    await submission().play(
      `${GREETED}${LOGIN}\nC: MAIL FROM:<ann@>\nS: 501 5.1.7...\nC: MAIL FROM:<ann@example..com>\nS: 501...`,
    );
  });

  test('accepts unqualified domains without requireQualifiedDomains', async () => {
    const server = submission({
      authentication: 'optional',
      allowAnonymous: true,
      requireQualifiedDomains: false,
      addMissingHeaders: false,
    });
    await server.play(
      `${GREETED}\nC: MAIL FROM:<ann@sales>\nS: 250...\nC: RCPT TO:<bob@sales>\nS: 250...${DATA}\nC: x\nC: .\nS: 250...`,
    );
    expect(server.delivery.delivered[0]?.text).toMatch(/\+0000\r\nx\r\n$/);
  });

  test('is the default service', async () => {
    const server = new Server({
      service: undefined as never,
      requireQualifiedDomains: undefined as never,
      addMissingHeaders: undefined as never,
    });
    await server.play(`${GREETED}${LOGIN}\nC: MAIL FROM:<ann@sales>\nS: 554...${ENVELOPE}${DATA}\nC: .\nS: 250...`);
    expect(server.delivery.delivered[0]?.text).toContain('\r\nDate: ');
  });
});

describe('the header of a submitted message', () => {
  test("gets the missing fields, behind the trace and before the client's header", async () => {
    const said = 'Subject: hi\n\nhello';
    expect(await submit(said)).toMatch(new RegExp(`^${DATE}${MESSAGE_ID}Subject: hi\\r\\n\\r\\nhello\\r\\n$`));
  });

  test.each([
    ['Date: today\nSubject: hi\n\nhello', new RegExp(`^${MESSAGE_ID}Date: today\\r\\n`)],
    ['Subject: hi\nmessage-ID:<x@y>\n\nhello', new RegExp(`^${DATE}Subject: hi\\r\\nmessage-ID:<x@y>\\r\\n`)],
    ['DATE: now\nMESSAGE-ID : <x@y>\n\nhello', /^DATE: now\r\nMESSAGE-ID : <x@y>\r\n\r\nhello\r\n$/],
    ['Date: now\nMessage-ID: <x@y>', /^Date: now\r\nMessage-ID: <x@y>\r\n$/],
    [
      'Subject: hi\n folded\nDate: now\nMessage-ID:\n <x@y>\n\nhello',
      /^Subject: hi\r\n folded\r\nDate: now\r\nMessage-ID:/,
    ],
    ['Subject: hi', new RegExp(`^${DATE}${MESSAGE_ID}Subject: hi\\r\\n$`)],
  ])('%j keeps its fields', async (said, expected) => {
    expect(await submit(said)).toMatch(expected);
  });

  test.each([
    'Subject: hi\n Date: folded\n\tMessage-ID: folded\n\nhello',
    'Resent-Date: x\nIn-Reply-To: <x@y>\nX-Date: x\nDated: x\nMessage-IDs: x\n\nhello',
    'Subject: hi\n\nDate: in the body\nMessage-ID: <in@the.body>',
    'Date\nSubject: hi\n\nhello',
  ])('%j has neither field', async (said) => {
    expect(await submit(said)).toMatch(new RegExp(`^${DATE}${MESSAGE_ID}`));
  });

  test('that is missing is separated from the body', async () => {
    const fields = `${DATE}${MESSAGE_ID}`;
    expect(await submit('hello')).toMatch(new RegExp(`^${fields}\\r\\nhello\\r\\n$`));
    expect(await submit(' hello')).toMatch(new RegExp(`^${fields}\\r\\n hello\\r\\n$`));
    expect(await submit('\nhello'.replace('\n', '\n'))).toMatch(new RegExp(`^${fields}\\r\\n`));
    expect(await submit('')).toMatch(new RegExp(`^${fields}$`));
  });

  test("has the id of the client's reply", async () => {
    const server = submission();
    const transcript = await server.play(`${GREETED}${LOGIN}${ENVELOPE}${DATA}\nC: .\nS: 250...`);
    const [, id] = /^S: 250 2\.0\.0 OK (\w+)$/m.exec(transcript) ?? [];
    expect(server.delivery.delivered[0]?.text).toContain(`\r\nMessage-ID: <${id}@mx.example.com>\r\n`);
  });

  test('gets no field at an MX, or by LMTP', async () => {
    for (const service of ['mx', 'lmtp'] as const) {
      const server = new Server({ service, allowAnonymous: true });
      const hello = GREETED.replace('ESMTP', service === 'lmtp' ? 'LMTP' : 'ESMTP').replace(
        'EHLO',
        service === 'lmtp' ? 'LHLO' : 'EHLO',
      );
      await server.play(
        `${hello}\nC: MAIL FROM:<ann@sales>\nS: 250...\nC: RCPT TO:<bob@sales>\nS: 250...${DATA}\nC: x\nC: .\nS: 250...`,
      );
      expect(server.delivery.delivered[0]?.text).toMatch(/\+0000\r\nx\r\n$/);
    }
  });

  test('does not count in the size', async () => {
    expect(await submit(`Subject: ${'x'.repeat(89)}`, { limits: { maxMessageSize: 100 } })).toMatch(/x{89}\r\n$/);
  });

  test('of a message in chunks is the same; what is behind it may be anything', async () => {
    const server = submission();
    await server.play(`${GREETED}${LOGIN}
      C: MAIL FROM:<ann@example.com> BODY=BINARYMIME
      S: 250...
      C: RCPT TO:<bob@example.com>
      S: 250...
      C: BDAT 5
      C: <raw Subje>
      S: 250...
      C: BDAT 11
      C: <raw ct: hi\\r\\n\\r\\n\\0>
      S: 250...
      C: BDAT 4 LAST
      C: <raw \\n\\r\\xff.>
      S: 250...`);
    expect(server.delivery.delivered[0]?.text).toMatch(
      new RegExp(`${DATE}${MESSAGE_ID}Subject: hi\\r\\n\\r\\n\\0\\n\\r\\xff\\.$`),
    );
  });

  test('that ends the message, or breaks off, is not lost', async () => {
    const server = submission();
    server.delivery.onWrite = (chunk) => {
      if (Buffer.from(chunk).includes('Date:')) throw new Error('full');
    };
    await server.play(
      `${GREETED}${LOGIN}${ENVELOPE}${DATA}\nC: Subject: hi\nC:\nC: x\nC: .\nS: 451...${ENVELOPE}${DATA}\nC: Subject: hi\nC: .\nS: 451...`,
    );
    expect(server.delivery.calls.filter((call) => /abort|end|late/.test(call))).toEqual(['abort', 'abort']);
    await submission().play(`${GREETED}${LOGIN}${ENVELOPE}${DATA}\nC: Subject: hi\nC: <close>`);
  });
});

describe('a submitted message that gets missing fields', () => {
  const refused = 'S: 554 5.6.0 The domain of an address in the header is not fully qualified';

  test('has no address in its header whose domain is not fully qualified (RFC 6409 §4.2)', async () => {
    for (const lines of ['C: From: ann@sales\nC:\nC: hi', 'C: Date: now\nC: To: ann@sales']) {
      const server = submission();
      await server.play(
        `${GREETED}${LOGIN}${ENVELOPE}${DATA}\n${lines}\nC: .\n${refused}${ENVELOPE}${DATA}\nC: .\nS: 250...`,
      );
      expect(server.delivery.calls.filter((call) => /abort|end/.test(call))).toEqual(['abort', 'end']);
      expect(server.delivery.delivered).toHaveLength(1);
    }
  });

  test('is the only one that is looked at so, and only where domains matter', async () => {
    const complete = 'Date: now\nMessage-ID: <1@x>\nTo: ann@sales\n\nhi';
    expect(await submit(complete)).toContain('To: ann@sales\r\n');
    expect(await submit('To: ann@sales', { requireQualifiedDomains: false })).toContain('To: ann@sales\r\n');
    expect(await submit('To: ann@sales', { addMissingHeaders: false })).toBe('To: ann@sales\r\n');
    expect(await submit('To: ann@example.com\n\nann@sales\nTo: ann@sales')).toContain('ann@sales');
  });

  test('is refused once, in whatever pieces it comes', async () => {
    const server = submission();
    await server.play(`${GREETED}${LOGIN}${ENVELOPE}
      C: BDAT 10
      C: <raw To: ann@sa>
      S: 250...
      C: BDAT 9
      C: <raw les\\r\\n\\r\\nhi>
      ${refused}
      C: BDAT 2 LAST
      C: <raw hi>
      ${refused}`);
    expect(server.delivery.calls.filter((call) => /abort|end/.test(call))).toEqual(['abort']);
  });
});
