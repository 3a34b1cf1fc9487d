import { Conversation } from '@postern/conversation';
import { Mailbox, type MailParameters, Rejection } from '@postern/esmtp';
import { connectSmtp, type SmtpClient, SmtpReplyError } from '@postern/esmtp/client';
import { memoryPipe } from '@postern/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runs } from '../../support/fuzz.ts';
import { Server } from '../server.ts';

const joe = new Mailbox('joe', 'example.com');
const ann = new Mailbox('ann', 'example.com');

/** A client of a server of ours, which accepts mail without a login. */
async function connect(server: Server): Promise<SmtpClient> {
  const pipe = memoryPipe({ highWaterMark: 1_000_000 });
  void server.protocol(new Conversation(pipe.server));
  return await connectSmtp(pipe.client, { hostname: 'client.example.com', startTls: 'none' });
}

async function send(server: Server, chunks: readonly Uint8Array[], body?: MailParameters['body']): Promise<number[]> {
  await using client = await connect(server);
  const parameters = body === undefined ? {} : { body };
  const replies = await client.send({ from: joe, to: [ann], parameters }, chunks);
  // The connection is good for another one.
  const again = await client.send({ from: joe, to: [ann] }, [Buffer.from('again\r\n')]);
  return [...replies, ...again].map(({ code }) => code);
}

const anonymous = { allowAnonymous: true, authentication: 'optional' } as const;
const texts = (server: Server): string[] =>
  server.delivery.delivered.map(({ text }) => text.replace(/^Received:.*(?:\r\n[ \t].*)*\r\n/, ''));

describe('a message', () => {
  it('arrives unchanged, as lines by DATA and as octets by BDAT', async () => {
    const octets = fc.uint8Array({ maxLength: 40 });
    const large = fc.integer({ min: 0, max: 300_000 }).map((length) => Buffer.alloc(length, 'x'));
    const chunks = fc.array(fc.oneof({ weight: 5, arbitrary: octets }, { weight: 1, arbitrary: large }), {
      maxLength: 8,
    });
    await fc.assert(
      fc.asyncProperty(chunks, async (pieces) => {
        // A message that begins with a blank would continue the field before it.
        const written = [Buffer.from('x'), ...pieces];
        const binary = new Server(anonymous);
        expect(await send(binary, written, 'BINARYMIME')).toEqual([250, 250]);
        expect(texts(binary)).toEqual([Buffer.concat(written).toString('latin1'), 'again\r\n']);

        const text = Buffer.concat(written)
          .toString('latin1')
          .replaceAll(/[\r\n\0]+/g, '\r\n');
        const lines = new Server(anonymous);
        expect(await send(lines, [Buffer.from(`${text}\r\n`, 'latin1')])).toEqual([250, 250]);
        expect(texts(lines)).toEqual([`${text}\r\n`, 'again\r\n']);
      }),
      { numRuns: runs(40) },
    );
  });

  it('is refused with its chunk', async () => {
    const server = new Server({ ...anonymous, limits: { maxMessageSize: 200_000 } });
    const chunk = Buffer.alloc(150_000);
    expect(await send(server, [chunk, chunk], 'BINARYMIME')).toEqual([552, 250]);
    expect(texts(server)).toEqual(['again\r\n']);
  });

  it('is aborted when a chunk is refused before the last', async () => {
    const server = new Server(anonymous);
    server.delivery.onWrite = (piece) => {
      if (piece.length > 100_000) throw new Rejection(452, '4.3.1', 'Full');
    };
    const chunk = Buffer.alloc(150_000);
    await using client = await connect(server);
    const sent = client.send({ from: joe, to: [ann], parameters: { body: 'BINARYMIME' } }, [chunk, chunk, chunk]);
    await expect(sent).rejects.toBeInstanceOf(SmtpReplyError);
    await expect(sent).rejects.toMatchObject({ command: 'BDAT', reply: { code: 452 } });
  });
});
