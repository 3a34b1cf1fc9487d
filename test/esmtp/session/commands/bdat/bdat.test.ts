import { Mailbox, Rejection } from '@postern/esmtp';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { runs } from '../../../../support/fuzz.ts';
import { ENVELOPE, GREETED, LOGIN, Server } from '../../../server.ts';
import { bodies, send } from '../../../wire.ts';
import { ABORTED, BEGIN, BINARY, OK, OUT_OF_SEQUENCE, play, refusals, TEN, texts } from './support.ts';

describe('55: BDAT', () => {
  test('is offered, and so is DATA', async () => {
    const transcript = await new Server().play(`${GREETED}${LOGIN}${ENVELOPE}\nC: DATA\nS: 354...\nC: .\nS: 250...`);
    expect(transcript).toMatch(/^S: 250-CHUNKING$/m);
  });

  test('carries a message in one chunk, as in the example of RFC 3030 §4.1', async () => {
    const server = await play(`${ENVELOPE}
      C: BDAT 86 LAST
      C: To: Susan@random.com
      C: From: Sam@random.com
      C: Subject: This is a bodyless test message
      ${OK}
      C: QUIT
      S: 221...`);
    expect(texts(server)).toEqual([
      'To: Susan@random.com\r\nFrom: Sam@random.com\r\nSubject: This is a bodyless test message\r\n',
    ]);
    expect(server.events).toContainEqual(expect.objectContaining({ kind: 'message-accepted', octets: 86 }));
  });

  test('carries it in several, each with a reply, as in the example of RFC 3030 §4.2', async () => {
    const server = await play(`
      C: MAIL FROM:<ned@ymir.claremont.edu> BODY=BINARYMIME
      C: RCPT TO:<gvaudre@cnri.reston.va.us>
      C: RCPT TO:<jstewart@cnri.reston.va.us>
      S: 250 2.1.0 Sender OK
      S: 250 2.1.5 Recipient OK
      S: 250 2.1.5 Recipient OK
      C: BDAT 100000
      C: <raw {repeat:100000:x}>
      C: BDAT 324
      C: <raw {repeat:324:y}>
      C: BDAT 0 LAST
      S: 250 2.0.0 100000 octets received
      S: 250 2.0.0 324 octets received
      ${OK}`);
    expect(texts(server)).toEqual([`${'x'.repeat(100_000)}${'y'.repeat(324)}`]);
    expect(server.delivery.delivered[0]?.envelope.recipients).toHaveLength(2);
    expect(server.delivery.delivered[0]?.envelope.parameters.body).toBe('BINARYMIME');
  });

  test('does not unstuff dots, and needs no line ending', async () => {
    const server = await play(`${ENVELOPE}
      C: BDAT 16
      C: .
      C: ..
      C: .x
      C: \\r\\n.
      S: 250 2.0.0 16 octets received
      C: BDAT 3 LAST
      C: <raw end>
      ${OK}`);
    expect(texts(server)).toEqual(['.\r\n..\r\n.x\r\n\r\n.\r\nend']);
  });

  test('adds one Received field before the message', async () => {
    const server = await play(
      `${ENVELOPE}\nC: BDAT 10\n${TEN}\nS: 250...\nC: BDAT 10\n${TEN}\nS: 250...\nC: BDAT 10 LAST\n${TEN}\n${OK}`,
    );
    expect(server.delivery.delivered[0]?.text.match(/^Received:/gm)).toHaveLength(1);
    expect(server.delivery.delivered[0]?.text).toMatch(/\swith ESMTPSA\s/);
  });

  test.each(['bdat 10 last', 'BDAT 10 Last ', 'BDAT 0000000000000010 LAST\t'])(
    'is written %j, too',
    async (command) => {
      await play(`${ENVELOPE}\nC: ${command}\n${TEN}\n${OK}`);
    },
  );

  test('may be 0 LAST, also as the whole message', async () => {
    const server = await play(
      `${ENVELOPE}\nC: BDAT 10\n${TEN}\nS: 250...\nC: BDAT 0 LAST\n${OK}${ENVELOPE}\nC: BDAT 0 LAST\n${OK}`,
    );
    expect(texts(server)).toEqual(['12345678\r\n', '']);
  });

  test('after LAST is 503, and its octets are not commands', async () => {
    await play(`${ENVELOPE}\nC: BDAT 10 LAST\n${TEN}\n${OK}
      C: BDAT 6
      C: RSET
      ${OUT_OF_SEQUENCE}
      C: BDAT 6 LAST
      C: QUIT
      ${OUT_OF_SEQUENCE}
      C: RSET
      S: 250...${ENVELOPE}`);
  });

  test('without a recipient is 503, and its octets are heard', async () => {
    const refuse = ({ delivery }: Server): void => {
      delivery.onTo = () => {
        throw new Rejection(550, '5.1.1', 'No such mailbox');
      };
    };
    const server = await play(
      `
      C: BDAT 6 LAST
      C: QUIT
      ${OUT_OF_SEQUENCE}
      C: MAIL FROM:<ann@example.com>
      C: RCPT TO:<nobody@example.com>
      C: BDAT 6
      C: QUIT
      C: BDAT 6 LAST
      C: QUIT
      C: NOOP
      S: 250 2.1.0 Sender OK
      S: 550 5.1.1 No such mailbox
      ${OUT_OF_SEQUENCE}
      ${OUT_OF_SEQUENCE}
      S: 250 2.0.0 OK`,
      {},
      refuse,
    );
    expect(server.delivery.calls).toEqual(['from', 'to', 'logout']);
  });

  test('before EHLO, after HELO and before AUTH is refused, and its octets are heard', async () => {
    await new Server({ authentication: 'optional', allowAnonymous: true }).play(`
      S: 220...
      C: BDAT 6 LAST
      C: QUIT
      S: 503 5.5.1 Send EHLO first
      C: HELO client.example.org
      S: 250...${ENVELOPE}
      C: BDAT 6 LAST
      C: QUIT
      ${OUT_OF_SEQUENCE}`);
    await new Server().play(
      `${GREETED}\nC: BDAT 6 LAST\nC: QUIT\nS: 530 5.7.0 Authentication required\nC: NOOP\nS: 250...`,
    );
    await new Server().play(
      `${GREETED}\nC: BDAT 6 LAST\nC: QUIT\nS: 530 5.7.0 Must issue a STARTTLS command first\nC: NOOP\nS: 250...`,
      { tlsPolicy: 'required' },
    );
  });

  test('and DATA do not mix: DATA after BDAT is 503, and so is all but RSET from then on', async () => {
    const server = await play(`${ENVELOPE}
      C: BDAT 10
      ${TEN}
      S: 250...
      C: DATA
      ${OUT_OF_SEQUENCE}
      C: BDAT 10
      ${TEN}
      ${OUT_OF_SEQUENCE}
      C: MAIL FROM:<ann@example.com>
      ${OUT_OF_SEQUENCE}
      C: RCPT TO:<bob@example.com>
      ${OUT_OF_SEQUENCE}
      C: DATA
      ${OUT_OF_SEQUENCE}
      C: RSET
      S: 250...${ENVELOPE}
      C: DATA
      S: 354...
      C: .
      S: 250...`);
    expect(server.delivery.calls).toEqual(['from', 'to', 'open', 'abort', 'from', 'to', 'open', 'end', 'logout']);
    expect(refusals(server)).toHaveLength(1);
  });

  test('refuses MAIL, RCPT and AUTH between its chunks', async () => {
    const server = await play(`${ENVELOPE}
      C: BDAT 10
      ${TEN}
      S: 250...
      C: RCPT TO:<eve@example.com>
      ${OUT_OF_SEQUENCE}
      C: MAIL FROM:<eve@example.com>
      ${OUT_OF_SEQUENCE}
      C: AUTH PLAIN
      ${OUT_OF_SEQUENCE}
      C: STARTTLS
      ${OUT_OF_SEQUENCE}
      C: NOOP
      S: 250...
      C: VRFY ann
      S: 252...
      C: RSET now
      S: 501...
      C: EHLO
      S: 501...
      C: BDAT 10 LAST
      ${TEN}
      ${OK}`);
    expect(texts(server)).toEqual(['12345678\r\n12345678\r\n']);
  });

  test('survives any octets behind a chunk with too small a size', async () => {
    const octets = fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes).toString('latin1'));
    await fc.assert(
      fc.asyncProperty(octets, fc.integer({ min: -5, max: 105 }), fc.integer(), async (text, wrong, seed) => {
        const count = Math.max(0, text.length - wrong);
        const session = `${BEGIN}MAIL FROM:<a@b> BODY=BINARYMIME\r\nRCPT TO:<c@d>\r\nBDAT ${count} LAST\r\n${text}\r\nQUIT\r\n`;
        const { said, delivered, server } = await send(session, { chunks: { seed } });
        expect(said).toMatch(/^(?:[2-5]\d\d[ -][ -~]*\r\n)+$/);
        expect(server.kinds()).not.toContain('error');
        expect(server.kinds().at(-1)).toBe('closed');
        if (delivered.length === 0) expect(said).not.toContain('OK ID');
        const { calls } = server.delivery;
        expect(calls.filter((call) => call === 'end' || call === 'abort')).toHaveLength(1);
      }),
      { numRuns: runs(200) },
    );
  });
});

describe('55: a size', () => {
  test.each([
    'BDAT',
    'BDAT ',
    'BDAT LAST',
    'BDAT +5',
    'BDAT -5',
    'BDAT 0x5',
    'BDAT 5.0',
    'BDAT 5e1',
    'BDAT 5 6',
    'BDAT 5 LAST LAST',
    'BDAT 5LAST',
    'BDAT  5',
    'BDAT 5  LAST',
    'BDAT 5,LAST',
    'BDAT ٥',
    'BDAT 000000000000000000005',
    'BDAT\\t5',
    ' BDAT 5',
    'BDAT\\0 5',
    'BDAT5',
  ])(
    'that cannot be read (%j) ends the connection: what follows is data or commands, and who knows which',
    async (command) => {
      const server = await play(
        `${ENVELOPE}\nC: ${command}\nC: MAIL FROM:<eve@example.com>\nS: 501 5.5.4 Chunk size missing or invalid, closing the connection\nS: <closed>`,
      );
      expect(server.delivery.calls).toEqual(['from', 'to', 'logout']);
    },
  );

  test('in a line over the limit closes the connection', async () => {
    await play(`\nC: BDAT {repeat:3000:0}\nC: NOOP\nS: 501 5.5.4...\nS: <closed>`);
    await play(`\nC: BDAT {repeat:30000:0}\nC: NOOP\nS: 500 5.5.2 Line too long\nS: <closed>`);
    await play(`\nC: BDAT\\t{repeat:30000:0}\nC: NOOP\nS: 500 5.5.2 Line too long\nS: <closed>`);
  });

  test.each(['1073741825', '9007199254740992', '9223372036854775807', '18446744073709551615', '99999999999999999999'])(
    'that no client means (%s) is 552, and ends the connection',
    async (size) => {
      const server = await play(
        `${ENVELOPE}\nC: BDAT 10\n${TEN}\nS: 250...\nC: BDAT ${size}\nC: x\nS: 552 5.3.4 Message size exceeds the fixed limit\nS: <closed>`,
      );
      expect(server.delivery.calls).toEqual(ABORTED);
    },
  );

  test('that is not an integer closes the connection where messages have no limit', async () => {
    await play('\nC: BDAT 99999999999999999999\nS: 552 5.3.4...\nS: <closed>', {
      limits: { maxMessageSize: Number.POSITIVE_INFINITY },
    });
  });
});

describe('53, 55: a message that is too large', () => {
  const limits = { maxMessageSize: 1000 };
  const TOO_LARGE = 'S: 552 5.3.4 Message size exceeds the fixed limit';

  test('is refused with the chunk that exceeds the limit, which is heard and not written', async () => {
    const server = await play(
      `${ENVELOPE}
      C: BDAT 990
      C: {repeat:988:x}
      S: 250...
      C: BDAT 20
      C: {repeat:18:~}
      ${TOO_LARGE}
      C: BDAT 6 LAST
      C: QUIT
      ${TOO_LARGE}
      C: RSET
      S: 250...${ENVELOPE}
      C: BDAT 1000 LAST
      C: {repeat:998:z}
      ${OK}`,
      { limits },
      ({ delivery }) => {
        delivery.onWrite = (chunk) => {
          if (chunk.includes(0x7e)) throw new Error('written');
        };
      },
    );
    expect(texts(server)).toEqual([`${'z'.repeat(998)}\r\n`]);
    expect(refusals(server)).toHaveLength(1);
    expect(server.kinds()).not.toContain('error');
  });

  test('is refused in one chunk, whatever size MAIL declared', async () => {
    const server = await play(
      `${ENVELOPE.replace('ann@example.com>', 'ann@example.com> SIZE=10')}
      C: BDAT 100000 LAST
      C: {repeat:99998:x}
      ${TOO_LARGE}${ENVELOPE}`,
      { limits },
    );
    expect(server.delivery.calls.filter((call) => call === 'abort')).toHaveLength(1);
  });
});

test('56: BODY=BINARYMIME is offered, and with DATA it is 503', async () => {
  const transcript = await new Server().play(`${GREETED}${LOGIN}${BINARY}
    C: DATA
    S: 503 5.5.1 BODY=BINARYMIME requires BDAT
    C: RSET
    S: 250...${ENVELOPE}
    C: DATA
    S: 354...
    C: .
    S: 250...`);
  expect(transcript).toMatch(/^S: 250-BINARYMIME$/m);
});

test('55, 56: DATA behind a chunk refuses a BINARYMIME message, as any other', async () => {
  const server = await play(
    `${BINARY}\nC: BDAT 10\n${TEN}\nS: 250...\nC: DATA\n${OUT_OF_SEQUENCE}\nC: BDAT 10 LAST\n${TEN}\n${OUT_OF_SEQUENCE}`,
  );
  expect(server.delivery.calls).toEqual(ABORTED);
});

describe('51, 55: pipelining', () => {
  test('whole transactions in one piece have the same effect as single commands', async () => {
    const envelope = 'MAIL FROM:<ann@example.com>\r\nRCPT TO:<bob@example.com>\r\n';
    const session = `${BEGIN}${envelope}BDAT 6\r\nRSET\r\nBDAT 6 LAST\r\nQUIT\r\n${envelope}BDAT 0 LAST\r\n${envelope}DATA\r\nx\r\n.\r\nBDAT 6 LAST\r\nQUIT\r\nQUIT\r\n`;
    const whole = await send(session);
    expect(bodies(whole)).toEqual(['RSET\r\nQUIT\r\n', '', 'x\r\n']);
    const from = session.indexOf('BDAT');
    for (let splitAt = from; splitAt < session.length; splitAt++) {
      const split = await send(session, { chunks: { splitAt } });
      expect([split.said, bodies(split)]).toEqual([whole.said, bodies(whole)]);
    }
    const octets = await send(session, { chunks: 'octets' });
    expect([octets.said, bodies(octets)]).toEqual([whole.said, bodies(whole)]);
  });
});

describe('55: chunks of any sizes', () => {
  const line = fc.oneof(
    fc.constantFrom('', '.', '..', 'RSET', 'QUIT', 'Subject: hi', '.x', 'BDAT 5 LAST', 'x'.repeat(100)),
    fc.string({ maxLength: 20 }).map((text) =>
      Buffer.from(text)
        .toString('latin1')
        .replaceAll(/[\r\n]/g, ' '),
    ),
  );
  const ending = fc.oneof({ weight: 20, arbitrary: fc.constant('\r\n') }, fc.constantFrom('\n', '\r', '\r\r\n'));
  const message = fc.array(fc.tuple(line, ending), { maxLength: 12 }).map((lines) => `${lines.flat().join('')}end\r\n`);
  const cuts = fc.array(fc.nat(200), { maxLength: 6 });

  test('deliver what DATA delivers', async () => {
    await fc.assert(
      fc.asyncProperty(message, cuts, fc.integer(), async (text, at, seed) => {
        const envelope = `${BEGIN}MAIL FROM:<ann@example.com>\r\nRCPT TO:<bob@example.com>\r\n`;
        const stuffed = text.replaceAll(/(?<=\r\n|^)\./g, '..');
        const data = await send(`${envelope}DATA\r\n${stuffed}.\r\nQUIT\r\n`);
        const places = [0, ...at.map((place) => place % text.length).toSorted((a, b) => a - b), text.length];
        const chunks = places.slice(1).map((to, index) => text.slice(places[index], to));
        const commands = chunks.map((chunk, index) => {
          return `BDAT ${chunk.length}${index === chunks.length - 1 ? ' LAST' : ''}\r\n${chunk}`;
        });
        const bdat = await send(`${envelope}${commands.join('')}QUIT\r\n`, { chunks: { seed } });
        expect(bodies(bdat)).toEqual(bodies(data));
        // The reply to the message is the one before QUIT's.
        expect(bdat.said.split('\r\n').at(-3)?.replace('ID', '')).toBe(
          data.said.split('\r\n').at(-3)?.replace('ID', ''),
        );
        expect(bdat.server.delivery.calls).toEqual(data.server.delivery.calls);
        expect(bdat.server.kinds()).toEqual(data.server.kinds());
      }),
      { numRuns: runs(300) },
    );
  });
});

test('a message in chunks has the recipients that were accepted before its first chunk', async () => {
  const server = await play(`${ENVELOPE}\nC: BDAT 10 LAST\n${TEN}\n${OK}`);
  expect(server.delivery.delivered[0]?.envelope.recipients[0]?.forwardPath).toEqual(new Mailbox('bob', 'example.com'));
});
