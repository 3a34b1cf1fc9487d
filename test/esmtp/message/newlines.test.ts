import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MessageStuffer } from '../../../packages/esmtp/src/client/message-stuffer.ts';
import { runs } from '../../support/fuzz.ts';
import { SMUGGLING } from '../../support/smuggling.ts';
import { ENVELOPE, GREETED, LOGIN, Server, type ServerOptions } from '../server.ts';
import { bodies, type Outcome, send } from '../wire.ts';

const NORMALIZING: ServerOptions = { newlines: 'normalize' };
const BEGIN = 'EHLO client.example.org\r\nAUTH PLAIN AGFubgBzZWNyZXQ=\r\n';
const TRANSACTION = 'MAIL FROM:<ann@example.com>\r\nRCPT TO:<bob@example.com>\r\n';
const SMUGGLED = 'MAIL FROM:<root@example.com>\r\nRCPT TO:<eve@example.com>\r\nDATA\r\nsmuggled\r\n.\r\n';

/** The message as the relay sends it to the next server. */
function onTheWire(message: string): string {
  const stuffer = new MessageStuffer();
  return Buffer.from(stuffer.push(Buffer.from(message, 'latin1'))).toString('latin1') + stuffer.end();
}

/** The relay sends no NUL on; all but that sequence have a way to the next server. */
const sequences = [
  ...SMUGGLING.filter((sequence) => !sequence.includes('\0')),
  '\n\n.\n\n',
  '\r\n..\r\n',
  '\r\r\n.\r',
  '\r\n.\r\r\r\n',
];

describe.each(sequences)('%j in the middle of a message that is normalized', (sequence) => {
  const session = `${BEGIN}${TRANSACTION}DATA\r\nbody${sequence}${SMUGGLED}QUIT\r\n`;

  test('does not end it, here or at the next server', async () => {
    const outcome = await send(session, {}, NORMALIZING);
    expect(outcome.said.match(/^354 /gm)).toHaveLength(1);
    expect(outcome.said).toMatch(/^354 .*\r\n250 2\.0\.0 OK ID\r\n221 /m);
    const [body = '', ...others] = bodies(outcome);
    expect(others).toEqual([]);
    expect(body).not.toMatch(BARE);
    // For each line end of a next server, only the last line of the message is one dot.
    expect(
      onTheWire(body)
        .split(/\r\n|\r|\n/)
        .indexOf('.'),
    ).toBe(onTheWire(body).split(/\r\n|\r|\n/).length - 2);
    expect(onTheWire(body)).toContain('MAIL FROM:<root@example.com>');
  });

  test('gives the same result, however the octets are split', async () => {
    const whole = bodies(await send(session, {}, NORMALIZING));
    const from = session.indexOf('body');
    for (let splitAt = from; splitAt <= from + sequence.length + 10; splitAt++) {
      expect(bodies(await send(session, { chunks: { splitAt } }, NORMALIZING))).toEqual(whole);
    }
    expect(bodies(await send(session, { chunks: 'octets' }, NORMALIZING))).toEqual(whole);
  });

  test('gives the same result by BDAT, however the chunks are split', async () => {
    const text = `body${sequence}tail`;
    const whole = bdat([text]);
    expect(bodies(await send(whole, {}, NORMALIZING))).toEqual([crlf(text)]);
    for (let at = 0; at <= text.length; at++) {
      const outcome = await send(bdat([text.slice(0, at), text.slice(at)]), {}, NORMALIZING);
      expect(bodies(outcome)).toEqual([crlf(text)]);
      expect(accepted(outcome)).toBe(crlf(text).length);
    }
  });
});

describe('newlines', () => {
  test('are normalized at a submission server, and refused elsewhere', async () => {
    const session = `${BEGIN}${TRANSACTION}DATA\r\nSubject: x\n\nhello\n.\n\r\n.\r\nQUIT\r\n`;
    const submission = await send(session, {}, { service: 'submission', addMissingHeaders: false });
    expect(bodies(submission)).toEqual(['Subject: x\r\n\r\nhello\r\n.\r\n\r\n']);
    expect((await send(session, {}, { service: 'mx' })).said).toMatch(/^550 5\.6\.11 /m);
    const strict = await send(session, {}, { service: 'submission', newlines: 'reject' });
    expect(strict.said).toMatch(/^550 5\.6\.11 /m);
    const lmtp = await send(session.replace('EHLO', 'LHLO'), {}, { service: 'lmtp', authentication: 'optional' });
    expect(lmtp.said).toMatch(/^550 5\.6\.11 /m);
  });

  test('of an unknown value are an error', () => {
    const newlines = 'accept' as unknown as 'reject';
    expect(() => new Server({ newlines })).toThrow('newlines: expected reject or normalize, not "accept"');
  });

  test('are normalized before the header is read', async () => {
    const server = new Server({ service: 'submission' });
    await server.play(`${GREETED}${LOGIN}${ENVELOPE}
      C: DATA
      S: 354...
      C: <raw Date: today\\nMessage-ID: <x@y>\\rSubject: hi\\n\\nhello\\r\\n>
      C: .
      S: 250...`);
    expect(server.delivery.delivered[0]?.text).toMatch(
      /^Received: [\s\S]*\+0000\r\nDate: today\r\nMessage-ID: <x@y>\r\nSubject: hi\r\n\r\nhello\r\n$/,
    );
  });

  test('divide a long line into lines', async () => {
    const body = 'x'.repeat(900);
    const session = `${BEGIN}${TRANSACTION}DATA\r\n${body}\n${body}\r${body}\r\n.\r\nQUIT\r\n`;
    const options = { ...NORMALIZING, limits: { maxTextLine: 998 } };
    expect(bodies(await send(session, {}, options))).toEqual([`${body}\r\n${body}\r\n${body}\r\n`]);
  });

  test('count in the size in their normalized form, by DATA and by BDAT', async () => {
    const text = '\n'.repeat(500);
    for (const [maxMessageSize, code] of [
      [1_002, '250'],
      [1_001, '552'],
    ] as const) {
      const options = { ...NORMALIZING, limits: { maxMessageSize } };
      const data = await send(`${BEGIN}${TRANSACTION}DATA\r\n${text}\r\n.\r\nQUIT\r\n`, {}, options);
      expect(data.said).toMatch(new RegExp(`^354 .*\\r\\n${code} .*\\r\\n221 `, 'm'));
      const chunks = await send(bdat([text, '\r\n']), {}, options);
      expect(chunks.said).toMatch(new RegExp(`^${code} .*\\r\\n221 `, 'm'));
      if (code !== '250') continue;
      expect([accepted(data), accepted(chunks)]).toEqual([1_002, 1_002]);
      expect(bodies(data)).toEqual(bodies(chunks));
    }
  });

  test('of a BINARYMIME message stay unchanged', async () => {
    const binary = TRANSACTION.replace('com>', 'com> BODY=BINARYMIME');
    expect(bodies(await send(bdat(['a\nb\rc\r'], binary), {}, NORMALIZING))).toEqual(['a\nb\rc\r']);
  });

  test('split between chunks are one line end, and the replies count the octets of the chunks', async () => {
    const outcome = await send(bdat(['a\r', '\nb\n', '\rc\r', '']), {}, NORMALIZING);
    expect(bodies(outcome)).toEqual(['a\r\nb\r\n\r\nc\r\n']);
    expect(outcome.said).toMatch(
      /^250 2\.0\.0 2 octets received\r\n250 2\.0\.0 3 octets received\r\n250 2\.0\.0 3 octets received\r\n250 2\.0\.0 OK ID\r\n/m,
    );
  });

  test('give the same result in any chunks, by DATA and by BDAT', async () => {
    const text = fc
      .array(fc.constantFrom('\r', '\n', '\r\n', '.', 'letters', '\n.\n'), { maxLength: 30 })
      .map((parts) => parts.join(''));
    await fc.assert(
      fc.asyncProperty(text, fc.array(fc.nat(60), { maxLength: 3 }), fc.integer(), async (text, places, seed) => {
        const chunked = await send(bdat(cut(text, places)), { chunks: { seed } }, NORMALIZING);
        expect(bodies(chunked)).toEqual([crlf(text)]);
        const session = `${BEGIN}${TRANSACTION}DATA\r\n${text.replace(/(^|\r\n)\./g, '$1..')}\r\n.\r\nQUIT\r\n`;
        const [body = ''] = bodies(await send(session, { chunks: { seed } }, NORMALIZING));
        expect(body).toBe(crlf(`${text}\r\n`));
        expect(onTheWire(body)).toBe(`${body.replace(/^\./gm, '..')}.\r\n`);
      }),
      { numRuns: runs(150) },
    );
  });
});

const BARE = /\r(?!\n)|(?<!\r)\n/;

function crlf(text: string): string {
  return text.replace(/\r\n|\r|\n/g, '\r\n');
}

/** A session that sends a message in these chunks. */
function bdat(chunks: readonly string[], transaction = TRANSACTION): string {
  const last = chunks.length - 1;
  const commands = chunks.map((chunk, n) => `BDAT ${chunk.length}${n === last ? ' LAST' : ''}\r\n${chunk}`);
  return `${BEGIN}${transaction}${commands.join('')}QUIT\r\n`;
}

/** The octets of the one message that was accepted. */
function accepted({ server }: Outcome): number | undefined {
  return server.events.flatMap((event) => (event.kind === 'message-accepted' ? [event.octets] : []))[0];
}

function cut(input: string, places: readonly number[]): string[] {
  const sorted = [0, ...places.filter((at) => at < input.length), input.length].toSorted((a, b) => a - b);
  return sorted.slice(1).map((end, index) => input.slice(sorted[index], end));
}
