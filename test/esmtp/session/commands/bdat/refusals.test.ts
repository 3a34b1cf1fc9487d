import { Conversation } from '@postern/conversation';
import { Rejection } from '@postern/esmtp';
import { memoryPipe, settle } from '@postern/testing';
import { describe, expect, test } from 'vitest';
import { ENVELOPE, GREETED, LOGIN, Server } from '../../../server.ts';
import { ABORTED, BEGIN, BINARY, OK, OUT_OF_SEQUENCE, play, refusals, TEN, texts } from './support.ts';

describe('55: small chunks', () => {
  const tiny = '\nC: BDAT 10\nC: 12345678';

  test('are counted, and one above the limit closes the connection', async () => {
    const server = await play(
      `${ENVELOPE}${tiny.repeat(5)}${'\nS: 250...'.repeat(4)}\nS: 421 4.7.0 Too many small chunks\nS: <closed>`,
      { limits: { maxSmallChunks: 4 } },
    );
    expect(server.delivery.calls).toEqual(ABORTED);
  });

  test('include empty chunks, and chunks of a refused message', async () => {
    await play(
      `${ENVELOPE}\nC: BDAT 2\nC: <raw a\\n>\nS: 550 5.6.11...${'\nC: BDAT 0'.repeat(4)}${'\nS: 550...'.repeat(3)}\nS: 421 4.7.0...\nS: <closed>`,
      { limits: { maxSmallChunks: 4 } },
    );
  });

  test('exclude the last chunk, and chunks of 1,024 octets', async () => {
    const large = '\nC: BDAT 1024\nC: {repeat:1022:x}\nS: 250...';
    await play(`${ENVELOPE}${large.repeat(5)}${tiny}\nS: 250...\nC: BDAT 0 LAST\n${OK}`, {
      limits: { maxSmallChunks: 1 },
    });
  });

  test('that are refused are errors; large ones behind a refusal are not', async () => {
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

  test('is found at the end of a chunk', async () => {
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

  test('56: is allowed in BINARYMIME, and so is NUL', async () => {
    const text = '\\n\\r\\r\\n.\\r\\n\\0\\x80\\xff\\r';
    const server = await play(`${BINARY}\nC: BDAT 11 LAST\nC: <raw ${text}>\n${OK}`, { limits: { maxTextLine: 998 } });
    expect(texts(server)).toEqual(['\n\r\r\n.\r\n\0\x80\xff\r']);
  });

  test('56: a line of BINARYMIME may have any length', async () => {
    const line = '\nC: BDAT 2000 LAST\nC: <raw {repeat:2000:x}>\nS: ';
    await play(`${BINARY}${line}250...${ENVELOPE}${line}554 5.6.0 A line of the message is too long`, {
      limits: { maxTextLine: 998 },
    });
  });
});

describe('55: a message that is not completed is aborted once', () => {
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

  test('RSET gets its reply after the abort', async () => {
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

  test('a server that shuts down waits for the last chunk', async () => {
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
  ])('to open the message (%s) refuses each chunk, and hears each', async (_how, onOpen) => {
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

  test('to open it by a bug is 451, and reported as an error in BDAT', async () => {
    const bug = new Error('bug');
    const server = await play(`${ENVELOPE}\nC: BDAT 6\nC: QUIT\n${OURS}`, {}, ({ delivery }) => {
      delivery.onOpen = () => Promise.reject(bug);
    });
    expect(troubles(server)).toEqual([['BDAT', bug]]);
  });

  test('to make the Received field is 451, and reported', async () => {
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

  test('to write the Received field refuses the message', async () => {
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

  test('that is slow slows the client down, and is known at the last chunk', async () => {
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
