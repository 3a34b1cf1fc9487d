import { Mailbox, type MailParameters } from '@postern/esmtp';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ContentScan } from '../../packages/relay/src/content-scan.ts';
import { runs } from '../support/fuzz.ts';
import { resultsOf } from '../support/results.ts';
import { ann, codes, deliver, envelope, eve, greeting, HELLO, name, RSET, scripted, TO_ANN } from './upstream.ts';

/** What Go's net/smtp says of every message where it can. */
const DECLARED = { body: '8BITMIME', smtpUtf8: true } as const satisfies Partial<MailParameters>;
const jürgen = new Mailbox('jürgen', 'example.org');

/** The script of a message in `TO_ANN`. */
const said = (text: string): string =>
  Buffer.from(text)
    .toString('latin1')
    .split('\r\n')
    .slice(0, -1)
    .map((line) => `\nC: ${line}`)
    .join('');

const ANSWERED = '\nC: .\nS: 250 2.0.0 kept';

describe('a message that declares extensions that the next server lacks', () => {
  const ascii = 'Subject: plain\r\n\r\nplain\r\n';
  const utf8Body = 'Subject: plain\r\n\r\nzürich\r\n';
  const utf8Header = 'Subject: zürich\r\n\r\nplain\r\n';

  it.each([
    ['neither extension', [], '', ascii],
    ['no SMTPUTF8', ['8BITMIME'], ' BODY=8BITMIME', ascii],
    ['no SMTPUTF8, for a body beyond ASCII', ['8BITMIME'], ' BODY=8BITMIME', utf8Body],
    ['no 8BITMIME', ['SMTPUTF8'], ' SMTPUTF8', ascii],
    ['both', ['8BITMIME', 'SMTPUTF8'], ' BODY=8BITMIME SMTPUTF8', utf8Header],
  ])('is sent if it does not need them: %s', async (_what, extensions, parameters, text) => {
    const transaction = TO_ANN.replace('example.com>', `example.com>${parameters}`);
    const script = `${greeting(...extensions)}${transaction}${said(text)}${ANSWERED}`;
    for (const size of [1, 7, 1_000]) {
      const { delivery, over } = scripted([script]);
      const to = envelope([ann], DECLARED);
      await name(delivery, to);
      const message = delivery.openMessage(to);
      const octets = Buffer.from(text);
      for (let at = 0; at < octets.length; at += size) await message.write(octets.subarray(at, at + size));
      expect(codes(resultsOf(await message.end()))).toEqual([250]);
      expect(message.nextHop?.(0)?.reply?.lines).toEqual(['kept']);
      await over();
    }
  });

  it.each([
    ['SMTPUTF8 for its header', ['8BITMIME'], ' BODY=8BITMIME', utf8Header, '550 5.6.7'],
    ['8BITMIME for its body', ['SMTPUTF8'], ' SMTPUTF8', utf8Body, '554 5.6.3'],
    ['8BITMIME for its header', ['SMTPUTF8'], ' SMTPUTF8', utf8Header, '554 5.6.3'],
    ['both', [], '', utf8Header, '550 5.6.7'],
  ])('is refused before the data if it needs %s', async (_what, extensions, parameters, text, refusal) => {
    const mail = `\nC: MAIL FROM:<joe@example.com>${parameters}\nS: 250 ok\nC: RCPT TO:<ann@example.org>\nS: 250 ok`;
    const { delivery, over, troubles } = scripted([`${greeting(...extensions)}${mail}${RSET}${TO_ANN}${HELLO}`]);
    const refused = deliver(delivery, envelope([ann], DECLARED), text);
    const [code, enhanced] = refusal.split(' ');
    await expect(refused).rejects.toMatchObject({ reply: { code: Number(code), enhanced } });
    expect(await deliver(delivery, envelope([ann]))).toEqual([250]);
    expect(troubles).toEqual([]);
    await over();
  });

  it('is refused for a recipient that needs SMTPUTF8, and sent to the others', async () => {
    const { delivery, over } = scripted([`${greeting()}${TO_ANN}${HELLO}`]);
    const to = envelope([ann], DECLARED);
    await name(delivery, to);
    await expect(delivery.validateTo(jürgen, {})).rejects.toMatchObject({ reply: { code: 550, enhanced: '5.6.7' } });
    const message = delivery.openMessage(to);
    await message.write(Buffer.from('hello\r\n'));
    expect(codes(resultsOf(await message.end()))).toEqual([250]);
    await over();
  });

  it('is sent to the others without a callout as well', async () => {
    const toEve = TO_ANN.replace('ann@', 'eve@');
    const { delivery, over } = scripted([`${greeting()}${toEve}${HELLO}`]);
    const message = delivery.openMessage(envelope([jürgen, eve], DECLARED));
    await message.write(Buffer.from('hello\r\n'));
    expect(codes(resultsOf(await message.end()))).toEqual([550, 250]);
    expect([0, 1].map((recipient) => message.nextHop?.(recipient)?.reply?.code)).toEqual([550, 250]);
    await over();
  });

  it('is refused if its sender needs SMTPUTF8', async () => {
    const { delivery } = scripted([greeting('8BITMIME')]);
    delivery.validateFrom(jürgen, DECLARED);
    await expect(delivery.validateTo(ann, {})).rejects.toMatchObject({ reply: { code: 550, enhanced: '5.6.7' } });
  });

  it('frees the connection if the client disconnects before the data', async () => {
    const announced = TO_ANN.slice(0, TO_ANN.indexOf('\n  C: DATA'));
    const { delivery, over } = scripted([`${greeting()}${announced}${RSET}${TO_ANN}${HELLO}`], { maxConnections: 1 });
    const to = envelope([ann], DECLARED);
    await name(delivery, to);
    const message = delivery.openMessage(to);
    await message.write(Buffer.from('Subject: half'));
    await message.abort(new Error('the client has left'));
    expect(await deliver(delivery, envelope([ann]))).toEqual([250]);
    await over();
  });

  it('holds no connection that another message needs', async () => {
    const announced = TO_ANN.slice(0, TO_ANN.indexOf('\n  C: DATA'));
    const { delivery, over } = scripted(
      [`${greeting()}${announced}${RSET}${TO_ANN}${HELLO}${RSET}${TO_ANN}${said(ascii)}${ANSWERED}`],
      { maxConnections: 1 },
    );
    const to = envelope([ann], DECLARED);
    await name(delivery, to);
    const slow = delivery.openMessage(to);
    await slow.write(Buffer.from(ascii.slice(0, 5)));
    expect(await deliver(delivery, envelope([ann]))).toEqual([250]);
    await slow.write(Buffer.from(ascii.slice(5)));
    expect(codes(resultsOf(await slow.end()))).toEqual([250]);
    await over();
  });
});

describe('a content scan', () => {
  it('finds octets above 127 in the header and in the body, for any chunks', () => {
    const piece = fc.constantFrom('a', 'ü', '\r\n', '\r', '\n', '\r\n\r\n');
    const pieces = fc.array(piece, { maxLength: 20 });
    fc.assert(
      fc.property(pieces, fc.array(fc.nat(4), { maxLength: 30 }), (parts, sizes) => {
        const text = parts.join('');
        const end = /(?<=^|\n)\r\n/.exec(text)?.index ?? text.length;
        const [header, body] = [text.slice(0, end), text.slice(end)];
        const octets = Buffer.from(text);
        const scan = new ContentScan();
        let at = 0;
        for (const size of sizes) {
          scan.push(octets.subarray(at, at + size));
          at += size;
        }
        scan.push(octets.subarray(at));
        expect([scan.hasNonAsciiHeader, scan.hasNonAsciiBody]).toEqual([header.includes('ü'), body.includes('ü')]);
      }),
      { numRuns: runs(300) },
    );
  });
});
