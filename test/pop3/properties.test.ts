import { Conversation } from '@postern/conversation';
import { memoryPipe, readChunk, type Slicing } from '@postern/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DotUnstuffer } from '../../packages/conversation/src/dot-stuffing.ts';
import { runs } from '../support/fuzz.ts';
import { RecordingMailbox, Server } from './server.ts';

/** Returns all octets that the server sends for these commands. */
async function answers(server: Server, commands: string, chunks: Slicing = 'whole'): Promise<Buffer> {
  const { client, server: end } = memoryPipe({ tlsPolicy: 'implicit', chunks });
  const ended = server.protocol(new Conversation(end));
  const sent = client.write(Buffer.from(commands, 'latin1'));
  const heard: Uint8Array[] = [];
  for (let chunk = await readChunk(client); chunk !== undefined; chunk = await readChunk(client)) {
    heard.push(Buffer.from(chunk));
  }
  client.end();
  await Promise.all([sent, ended]);
  return Buffer.concat(heard);
}

/** Takes a message behind its first line off the octets; undefined for a reply of one line. */
function takeMessage(octets: Buffer): { readonly message: string; readonly rest: Buffer } {
  const from = octets.indexOf('\r\n') + 2;
  const source = new DotUnstuffer();
  const copy = Buffer.from(octets);
  let message = '';
  let offset = from;
  for (; offset < copy.length && !source.ended; offset = source.consumed) {
    message += Buffer.from(source.next(copy, offset)).toString('latin1');
  }
  expect(source.ended).toBe(true);
  return { message, rest: octets.subarray(offset) };
}

describe('a message', () => {
  test('arrives as it is stored, and TOP sends the beginning of it', async () => {
    const unit = fc.constantFrom('.', '..', 'a', ' ', '\r\n', '\r\n.\r\n', '\r\n\r\n', '\xe9', '\0');
    const stored = fc.string({ unit, maxLength: 200 });
    await fc.assert(
      fc.asyncProperty(stored, fc.integer({ min: 1, max: 50 }), fc.nat(5), async (content, chunkOctets, lines) => {
        const mailbox = new RecordingMailbox([Buffer.from(content, 'latin1')]);
        mailbox.chunkOctets = chunkOctets;
        const commands = `USER ann\r\nPASS secret\r\nRETR 1\r\nTOP 1 ${lines}\r\nTOP 1 99999999\r\nQUIT\r\n`;
        let rest = await answers(new Server({ mailbox }), commands);
        rest = rest.subarray(rest.indexOf(`+OK ${content.length} octets\r\n`));
        const complete = content === '' || content.endsWith('\n') ? content : `${content}\r\n`;
        const whole = takeMessage(rest);
        expect(whole.message).toBe(complete);
        const top = takeMessage(whole.rest);
        expect(complete.startsWith(top.message)).toBe(true);
        const all = takeMessage(top.rest);
        expect(all.message).toBe(complete);
        expect(all.rest.toString()).toBe('+OK POP3 server signing off\r\n');
      }),
      { numRuns: runs(80) },
    );
  });
});

describe('a client that sends any lines', () => {
  test('gets +OK or -ERR for each command, and causes no error of the server', async () => {
    const number = fc.constantFrom('1', '2', '0', '3', '-1', '99999999999999999999', 'x', '');
    const line = fc.oneof(
      fc.constantFrom('USER ann', 'PASS secret', 'PASS wrong', 'CAPA', 'STAT', 'RSET', 'NOOP', 'UTF8', 'LAST', 'AUTH'),
      fc.tuple(fc.constantFrom('LIST', 'UIDL', 'RETR', 'DELE', 'TOP'), number, number).map((words) => words.join(' ')),
      fc.string({ unit: 'binary-ascii', maxLength: 30 }).map((text) => text.replaceAll(/[\r\n]/g, '')),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(line, { maxLength: 30 }), fc.nat(), async (lines, seed) => {
        const server = new Server({ limits: { maxErrors: 1_000 } });
        const commands = lines.filter((text) => !/^(AUTH \S|QUIT *$|\x16)/i.test(text));
        const heard = await answers(server, [...commands, 'QUIT', ''].join('\r\n'), { seed });
        expect(server.kinds()).not.toContain('error');
        if (server.kinds().includes('foreign-protocol')) return;
        expect(heard.toString('latin1')).toMatch(/\r\n\+OK POP3 server signing off\r\n$/);
        const updates = server.mailbox.calls.filter((call) => call.startsWith('update'));
        expect(updates).toHaveLength(server.kinds().includes('authenticated') ? 1 : 0);
      }),
      { numRuns: runs(80) },
    );
  });
});
