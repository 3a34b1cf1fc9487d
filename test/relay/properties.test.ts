import type { Transport } from '@postern/conversation';
import { Conversation } from '@postern/conversation';
import { MessageDelivery } from '@postern/esmtp';
import { RelayDelivery, Smarthost } from '@postern/relay';
import { plainResponder } from '@postern/sasl/client';
import { memoryPipe, portalFor, type Slicing } from '@postern/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RecordingDelivery, Server } from '../esmtp/server.ts';
import { runs } from '../support/fuzz.ts';
import { resultsOf } from '../support/results.ts';
import { ann, codes, envelope, eve } from './upstream.ts';

/** A relay to a real server in memory. */
function relayed(chunks: Slicing, lmtp = false) {
  const server = new Server({ delivery: new RecordingDelivery() });
  const smarthost = new Smarthost({
    endpoint: { host: 'mx.example.org', port: 25 },
    hostname: 'relay.example.com',
    tls: 'none',
    allowCleartext: true,
    lmtp,
    responders: [plainResponder({ username: 'ann', password: 'secret' })],
    async connect(): Promise<Transport> {
      const pipe = memoryPipe({ chunks, highWaterMark: 64, tlsPolicy: 'implicit' });
      void server.protocol(new Conversation(pipe.server));
      return pipe.client;
    },
  });
  return { delivery: new RelayDelivery(smarthost), smarthost, server };
}

const piece = fc.constantFrom(
  '.',
  '..',
  'a',
  '\xff',
  '\r\n',
  '\r\n.',
  '\r\n.\r\n',
  '\r\nMAIL FROM:<eve@example.org>\r\n',
);
const text = fc.array(piece, { maxLength: 40 }).map((parts) => `${parts.join('')}\r\n`);
const cuts = fc.array(fc.nat(9), { maxLength: 40 });

describe('the octets for the next server', () => {
  it('equal the message, for any chunks', async () => {
    await fc.assert(
      fc.asyncProperty(text, cuts, fc.nat(), async (whole, sizes, seed) => {
        const { delivery, smarthost, server } = relayed({ seed });
        const message = delivery.openMessage(envelope([ann, eve]));
        for (const chunk of cut(Buffer.from(whole, 'latin1'), sizes)) await message.write(chunk);
        expect(codes(resultsOf(await message.end()))).toEqual([250, 250]);
        expect(server.delivery.delivered.map(({ text }) => text.slice(received(text)))).toEqual([whole]);
        await smarthost.close();
      }),
      { numRuns: runs(50) },
    );
  });

  it('form no message unless all have arrived', async () => {
    await fc.assert(
      fc.asyncProperty(text, cuts, fc.nat(), fc.nat(40), async (whole, sizes, seed, until) => {
        const { delivery, smarthost, server } = relayed({ seed });
        const message = delivery.openMessage(envelope([ann]));
        for (const chunk of cut(Buffer.from(whole, 'latin1'), sizes).slice(0, until)) await message.write(chunk);
        await message.abort(new Error('the client has left'));
        await smarthost.close();
        await new Promise((resolve) => setImmediate(resolve));
        expect(server.delivery.calls).toEqual([]);
      }),
      { numRuns: runs(50) },
    );
  });

  it('are the same through a relaying server', async () => {
    await fc.assert(
      fc.asyncProperty(text, fc.nat(), async (whole, seed) => {
        const { smarthost, server } = relayed({ seed });
        const portal = portalFor({ ann: 'secret' }, MessageDelivery, () => new RelayDelivery(smarthost));
        const front = new Server({ portal });
        const stuffed = whole
          .slice(0, -2)
          .split('\r\n')
          .map((line) => line.replace(/^\./, '..'));
        await front.play(
          [
            'S: 220...',
            'C: EHLO client.example.com',
            'S: 250...',
            'C: AUTH PLAIN {base64:\\0ann\\0secret}',
            'S: 235...',
            'C: MAIL FROM:<ann@example.com>',
            'S: 250...',
            'C: RCPT TO:<bob@example.com>',
            'S: 250...',
            'C: DATA',
            'S: 354...',
            ...stuffed.map((line) => `C: ${line.replace(/[\\{]/g, '\\$&')}`),
            'C: .',
            'S: 250...',
          ].join('\n'),
          { chunks: { seed } },
        );
        const [delivered = { text: '' }] = server.delivery.delivered;
        const first = delivered.text.slice(received(delivered.text));
        expect(first.slice(received(first))).toBe(Buffer.from(whole).toString('latin1'));
        await smarthost.close();
      }),
      { numRuns: runs(25) },
    );
  });
});

/** Where the first header field, which is the server's own, ends. */
function received(text: string): number {
  const end = /^Received: .*\r\n(?:[ \t].*\r\n)*/.exec(text)?.[0].length;
  if (end === undefined) throw new Error('no Received field');
  return end;
}

function cut(bytes: Buffer, sizes: readonly number[]): readonly Buffer[] {
  const chunks: Buffer[] = [];
  let at = 0;
  for (const size of sizes) {
    chunks.push(bytes.subarray(at, at + size));
    at += size;
  }
  return [...chunks, bytes.subarray(at)];
}
