import { Conversation } from '@postern/conversation';
import { type EsmtpEvent, Mailbox, Rejection } from '@postern/esmtp';
import { memoryPipe, settle } from '@postern/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { runs } from '../support/fuzz.ts';
import { ENVELOPE, GREETED, LOGIN, Server, type ServerOptions } from './server.ts';
import { bodies, send } from './wire.ts';

const BINARY = ENVELOPE.replace('ann@example.com>', 'ann@example.com> BODY=BINARYMIME');
const OK = 'S: 250 2.0.0 OK {/[a-z0-9]+/}';
const OUT_OF_SEQUENCE = 'S: 503 5.5.1 Bad sequence of commands';
/** Ten octets, as much as `C: BDAT 10` needs. */
const TEN = 'C: 12345678';
const ABORTED = ['from', 'to', 'open', 'abort', 'logout'];

async function play(script: string, options: ServerOptions = {}, prepare = (_server: Server): void => {}) {
  const server = new Server(options);
  prepare(server);
  await server.play(`${GREETED}${LOGIN}${script}`);
  return server;
}

const texts = (server: Server): string[] =>
  server.delivery.delivered.map(({ text }) => text.replace(/^Received:.*(?:\r\n[ \t].*)*\r\n/, ''));

const refusals = ({ events }: Server): EsmtpEvent[] => events.filter(({ kind }) => kind === 'message-refused');

describe('55: BDAT', () => {
  test('is offered, and so is DATA', async () => {
    const transcript = await new Server().play(`${GREETED}${LOGIN}${ENVELOPE}\nC: DATA\nS: 354...\nC: .\nS: 250...`);
    expect(transcript).toMatch(/^S: 250-CHUNKING$/m);
  });

  test('brings a message in one chunk, as in the example of RFC 3030 §4.1', async () => {
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

  test('brings it in several, each with a reply, as in the example of RFC 3030 §4.2', async () => {
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

  test('takes no dot for anything, and needs no line end', async () => {
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

  test('puts one Received field before all of it', async () => {
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

  test('LAST with nothing is legal, and a message of nothing, too', async () => {
    const server = await play(
      `${ENVELOPE}\nC: BDAT 10\n${TEN}\nS: 250...\nC: BDAT 0 LAST\n${OK}${ENVELOPE}\nC: BDAT 0 LAST\n${OK}`,
    );
    expect(texts(server)).toEqual(['12345678\r\n', '']);
  });

  test('after LAST is 503, and what belongs to it is no commands', async () => {
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

  test('without a recipient is 503, and heard all the same', async () => {
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

  test('before EHLO, after HELO and before AUTH is refused, and heard all the same', async () => {
    await new Server({ authentication: 'optional', guests: true }).play(`
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

  test('allows nothing between its chunks that belongs before or behind the message', async () => {
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

  test('survives whatever stands behind a chunk that was counted too short', async () => {
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

const BEGIN = 'EHLO client.example.org\r\nAUTH PLAIN AGFubgBzZWNyZXQ=\r\n';

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
        `${ENVELOPE}\nC: ${command}\nC: MAIL FROM:<eve@example.com>\nS: 501 5.5.4 Without the size of a chunk there is no going on\nS: <closed>`,
      );
      expect(server.delivery.calls).toEqual(['from', 'to', 'logout']);
    },
  );

  test('in a line that is too long, too', async () => {
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

  test('that is no number is not waited for where messages have no limit', async () => {
    await play('\nC: BDAT 99999999999999999999\nS: 552 5.3.4...\nS: <closed>', {
      limits: { maxMessageSize: Number.POSITIVE_INFINITY },
    });
  });
});

describe('53, 55: a message that is too large', () => {
  const limits = { maxMessageSize: 1000 };
  const TOO_LARGE = 'S: 552 5.3.4 Message size exceeds the fixed limit';

  test('is refused with the chunk that makes it so, which is heard, and is not written', async () => {
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

  test('is refused in one chunk, too, whatever its client declared', async () => {
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

describe('55: small chunks', () => {
  const tiny = '\nC: BDAT 10\nC: 12345678';

  test('are counted, and one too many ends the connection', async () => {
    const server = await play(
      `${ENVELOPE}${tiny.repeat(5)}${'\nS: 250...'.repeat(4)}\nS: 421 4.7.0 Too many small chunks\nS: <closed>`,
      { limits: { maxSmallChunks: 4 } },
    );
    expect(server.delivery.calls).toEqual(ABORTED);
  });

  test('are those of no octets, too, and those of a message that is refused', async () => {
    await play(
      `${ENVELOPE}\nC: BDAT 2\nC: <raw a\\n>\nS: 550 5.6.11...${'\nC: BDAT 0'.repeat(4)}${'\nS: 550...'.repeat(3)}\nS: 421 4.7.0...\nS: <closed>`,
      { limits: { maxSmallChunks: 4 } },
    );
  });

  test('are not the last one, nor those of 1,024 octets', async () => {
    const large = '\nC: BDAT 1024\nC: {repeat:1022:x}\nS: 250...';
    await play(`${ENVELOPE}${large.repeat(5)}${tiny}\nS: 250...\nC: BDAT 0 LAST\n${OK}`, {
      limits: { maxSmallChunks: 1 },
    });
  });

  test('that are refused are errors; large ones on their way behind a refusal are not', async () => {
    const chunk = '\nC: BDAT 1024 LAST\nC: {repeat:1022:x}';
    const limits = { maxErrors: 3 };
    await play(`${chunk.repeat(10)}${`\n${OUT_OF_SEQUENCE}`.repeat(10)}\nC: NOOP\nS: 250...`, { limits });
    await play(
      `${'\nC: BDAT 0 LAST'.repeat(3)}${`\n${OUT_OF_SEQUENCE}`.repeat(2)}\nS: 421 4.7.0 Too many errors\nS: <closed>`,
      { limits },
    );
  });
});

describe('3, 55: a CR or LF that is not part of a CRLF', () => {
  const BARE = 'S: 550 5.6.11 The message has a CR or LF that is not part of a CRLF';

  test.each(['a\\nb', 'a\\rb', '\\nab', 'ab\\n', '\\r\\r\\n', '\\n\\r\\n'])(
    '%j refuses the message with its chunk, and all the chunks behind it',
    async (text) => {
      const octets = text.replaceAll(/\\./g, '.').length;
      const server = await play(`${ENVELOPE}
        C: BDAT 10
        ${TEN}
        S: 250...
        C: BDAT ${octets}
        C: <raw ${text}>
        ${BARE}
        C: BDAT 6
        C: QUIT
        ${BARE}
        C: BDAT 6 LAST
        C: QUIT
        ${BARE}
        C: BDAT 0 LAST
        ${OUT_OF_SEQUENCE}${ENVELOPE}`);
      expect(server.delivery.calls.filter((call) => call === 'abort')).toHaveLength(1);
      expect(refusals(server)).toHaveLength(1);
    },
  );

  test('is found where a chunk ends', async () => {
    const split = (one: string, other: string, ...replies: string[]): Promise<Server> =>
      play(
        `${ENVELOPE}\nC: BDAT 2\nC: <raw ${one}>\nS: ${replies[0]}\nC: BDAT 2 LAST\nC: <raw ${other}>\nS: ${replies[1]}`,
      );
    await split('a\\r', '\\nb', '250...', '250...');
    await split('a\\r', 'b\\n', '250...', '550 5.6.11...');
    await split('a\\r', '\\r\\n', '250...', '550 5.6.11...');
    await split('ab', '\\nb', '250...', '550 5.6.11...');
    await split('ab', 'b\\r', '250...', '550 5.6.11...');
    await split('\\r\\n', '\\r\\n', '250...', '250...');
  });

  test('56: is as good as anything else in BINARYMIME, and so is NUL', async () => {
    const text = '\\n\\r\\r\\n.\\r\\n\\0\\x80\\xff\\r';
    const server = await play(`${BINARY}\nC: BDAT 11 LAST\nC: <raw ${text}>\n${OK}`, { limits: { maxTextLine: 998 } });
    expect(texts(server)).toEqual(['\n\r\r\n.\r\n\0\x80\xff\r']);
  });

  test('56: and a line may be as long as it likes', async () => {
    const line = '\nC: BDAT 2000 LAST\nC: <raw {repeat:2000:x}>\nS: ';
    await play(`${BINARY}${line}250...${ENVELOPE}${line}554 5.6.0 A line of the message is too long`, {
      limits: { maxTextLine: 998 },
    });
  });
});

test('56: BODY=BINARYMIME is offered, and with DATA it is 503', async () => {
  const transcript = await new Server().play(`${GREETED}${LOGIN}${BINARY}
    C: DATA
    S: 503 5.5.1 BODY=BINARYMIME comes with BDAT
    C: RSET
    S: 250...${ENVELOPE}
    C: DATA
    S: 354...
    C: .
    S: 250...`);
  expect(transcript).toMatch(/^S: 250-BINARYMIME$/m);
});

test('55, 56: DATA refuses a BINARYMIME message of which a chunk has come, as any other', async () => {
  const server = await play(
    `${BINARY}\nC: BDAT 10\n${TEN}\nS: 250...\nC: DATA\n${OUT_OF_SEQUENCE}\nC: BDAT 10 LAST\n${TEN}\n${OUT_OF_SEQUENCE}`,
  );
  expect(server.delivery.calls).toEqual(ABORTED);
});

describe('55: a message that is not completed is aborted, once', () => {
  const chunk = `${ENVELOPE}\nC: BDAT 10\n${TEN}\nS: 250...`;

  test.each([
    ['RSET', '\nC: RSET\nS: 250...'],
    ['EHLO', '\nC: EHLO other.example.org\nS: 250...'],
    ['HELO', '\nC: HELO other.example.org\nS: 250...'],
    ['QUIT', '\nC: QUIT\nS: 221...\nS: <closed>'],
    ['the end of the connection', '\nC: <close>'],
    ['the end of its side', '\nC: <end>\nS: <closed>'],
    ['a reset', '\nC: <reset>'],
    ['the end in the middle of a chunk', '\nC: BDAT 100\nC: half\nC: <close>'],
    ['silence between two chunks', '\nC: <advance 301s>\nS: 421 4.4.2...\nS: <closed>'],
    ['silence in a chunk', '\nC: BDAT 100\nC: half\nC: <advance 301s>\nS: 421 4.4.2...\nS: <closed>'],
    ['too many errors', `${'\nC: X'.repeat(20)}${'\nS: 500...'.repeat(19)}\nS: 421 4.7.0...\nS: <closed>`],
  ])('by %s', async (_how, script) => {
    const reasons: Error[] = [];
    const server = await play(chunk + script, {}, ({ delivery }) => {
      delivery.onAbort = (reason) => void reasons.push(reason);
    });
    expect(server.delivery.calls).toEqual(ABORTED);
    expect(reasons).toEqual([expect.any(Error)]);
    expect(server.kinds()).not.toContain('error');
  });

  test('and RSET is answered when that is done', async () => {
    const aborted = Promise.withResolvers<void>();
    const server = new Server();
    server.delivery.onAbort = () => aborted.promise;
    await server.play(`${GREETED}${LOGIN}${chunk}\nC: RSET\nS: <silence>\nC: <raw {done}>\nS: 250...${ENVELOPE}`, {
      values: {
        done: () => {
          aborted.resolve();
          return '';
        },
      },
    });
  });

  test('not while the server closes, which waits for its last chunk', async () => {
    const server = await play(
      `${chunk}\nC: <closing>\nS: <silence>\nC: BDAT 10 LAST\n${TEN}\n${OK}\nS: 421 4.3.2...\nS: <closed>`,
    );
    expect(texts(server)).toEqual(['12345678\r\n12345678\r\n']);
  });
});

describe('55: a delivery that fails', () => {
  const OURS = 'S: 451 4.3.0 Something went wrong here, try again later';
  const full = new Rejection(452, '4.2.2', 'Mailbox full');
  const troubles = (server: Server): unknown[] =>
    server.events.flatMap((event) => (event.kind === 'error' ? [[event.during, event.cause]] : []));

  test.each([
    [
      'at once',
      () => {
        throw full;
      },
    ],
    ['later', () => Promise.reject(full)],
  ])('to open the message (%s) refuses every chunk, and each is heard', async (_how, onOpen) => {
    const server = await play(
      `${ENVELOPE}
      C: BDAT 6
      C: QUIT
      C: BDAT 6
      C: QUIT
      C: BDAT 6 LAST
      C: QUIT
      S: 452 4.2.2 Mailbox full
      S: 452 4.2.2 Mailbox full
      S: 452 4.2.2 Mailbox full
      C: BDAT 6
      C: QUIT
      ${OUT_OF_SEQUENCE}${ENVELOPE}
      C: BDAT 6
      C: QUIT
      S: 452...
      C: DATA
      ${OUT_OF_SEQUENCE}
      C: RCPT TO:<eve@example.com>
      ${OUT_OF_SEQUENCE}
      C: RSET
      S: 250...${ENVELOPE}`,
      {},
      ({ delivery }) => {
        delivery.onOpen = onOpen;
      },
    );
    expect(server.delivery.calls).not.toContain('abort');
    expect(troubles(server)).toEqual([]);
  });

  test('to open it with a bug is 451, and told of as BDAT', async () => {
    const bug = new Error('bug');
    const server = await play(`${ENVELOPE}\nC: BDAT 6\nC: QUIT\n${OURS}`, {}, ({ delivery }) => {
      delivery.onOpen = () => Promise.reject(bug);
    });
    expect(troubles(server)).toEqual([['BDAT', bug]]);
  });

  test('to make the Received field is 451, and told of', async () => {
    const bug = new Error('bug');
    const server = await play(`${ENVELOPE}\nC: BDAT 6\nC: QUIT\n${OURS}`, {}, ({ delivery }) => {
      delivery.receivedHeader = () => {
        throw bug;
      };
    });
    expect(troubles(server)).toEqual([['BDAT', bug]]);
  });

  test('to write a chunk refuses it and those behind it', async () => {
    const bug = new Error('bug');
    const server = await play(
      `${ENVELOPE}\nC: BDAT 10\n${TEN}\nS: 250...\nC: BDAT 6\nC: QUIT\n${OURS}\nC: BDAT 6 LAST\nC: QUIT\n${OURS}${ENVELOPE}`,
      {},
      ({ delivery }) => {
        let writes = 0;
        delivery.onWrite = () => (++writes === 3 ? Promise.reject(bug) : undefined);
      },
    );
    expect(troubles(server)).toEqual([['BDAT', bug]]);
    expect(server.delivery.calls.filter((call) => call === 'abort')).toHaveLength(1);
    expect(refusals(server)).toHaveLength(1);
  });

  test('to write the Received field, too', async () => {
    const server = await play(`${ENVELOPE}\nC: BDAT 6\nC: QUIT\nS: 452...\nC: RSET\nS: 250...`, {}, ({ delivery }) => {
      delivery.onWrite = () => {
        throw full;
      };
    });
    expect(server.delivery.calls).toEqual(ABORTED);
  });

  test('to keep the message is the reply to the last chunk, and there is no abort', async () => {
    const server = await play(
      `${ENVELOPE}\nC: BDAT 10 LAST\n${TEN}\nS: 452 4.2.2 Mailbox full${ENVELOPE}`,
      {},
      (one) => {
        one.delivery.onEnd = () => Promise.reject(full);
      },
    );
    expect(server.delivery.calls).toEqual(['from', 'to', 'open', 'end', 'from', 'to', 'logout']);
  });

  test('with 421 ends the connection', async () => {
    const server = await play(
      `${ENVELOPE}\nC: BDAT 10\n${TEN}\nS: 421 4.7.0 Enough\nS: <closed>`,
      {},
      ({ delivery }) => {
        let writes = 0;
        delivery.onWrite = () => {
          if (++writes > 1) throw new Rejection(421, '4.7.0', 'Enough');
        };
      },
    );
    expect(server.delivery.calls).toEqual(ABORTED);
  });

  test('is found out about at the last chunk only if it is slow, and the client is slowed down by it', async () => {
    const server = new Server();
    const gate = Promise.withResolvers<void>();
    server.delivery.onWrite = (chunk) => (chunk.length > 1000 ? gate.promise : undefined);
    const { client, server: end } = memoryPipe({ highWaterMark: 10_000, tlsPolicy: 'implicit' });
    const protocol = server.protocol(new Conversation(end));
    const chunk = `BDAT 60000 LAST\r\n${'x'.repeat(60_000)}`;
    let written = false;
    const writing = Promise.resolve(client.write(`${BEGIN}MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\n${chunk}QUIT\r\n`));
    void writing
      .then(() => client.write(chunk))
      .then(() => {
        written = true;
      });
    await settle();
    expect(written).toBe(false);
    gate.resolve();
    client.end();
    await protocol;
    expect(server.delivery.delivered).toHaveLength(1);
  });
});

describe('51, 55: pipelining', () => {
  test('whole transactions in one piece come to the same as one by one, wherever the bytes are split', async () => {
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

  test('come to what the same message comes to with DATA', async () => {
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

test('the recipients of a message that comes in chunks are those that were accepted before the first', async () => {
  const server = await play(`${ENVELOPE}\nC: BDAT 10 LAST\n${TEN}\n${OK}`);
  expect(server.delivery.delivered[0]?.envelope.recipients[0]?.forwardPath).toEqual(new Mailbox('bob', 'example.com'));
});
