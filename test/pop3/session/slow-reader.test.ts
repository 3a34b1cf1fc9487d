import { Conversation, Deadlines, MemoryBudget } from '@postern/conversation';
import { FakeClock, type MemoryTransport, memoryPipe, readChunk, settle } from '@postern/testing';
import { describe, expect, test } from 'vitest';
import { RecordingMailbox, Server } from '../server.ts';

const MEBIBYTE = 1024 * 1024;

/** A session of ann in which the client reads nothing behind its commands. */
async function session(server: Server, commands: string) {
  const clock = new FakeClock();
  const { client, server: end } = memoryPipe({ tlsPolicy: 'implicit', highWaterMark: 65_536 });
  const memory = new MemoryBudget();
  const conversation = new Conversation(end, { deadlines: new Deadlines(clock), memory });
  const ended = server.protocol(conversation);
  await client.write(`USER ann\r\nPASS secret\r\n${commands}`);
  await settle();
  return { clock, client, conversation, ended };
}

async function readAll(client: MemoryTransport): Promise<string> {
  const chunks: Uint8Array[] = [];
  for (let chunk = await readChunk(client); chunk !== undefined; chunk = await readChunk(client)) chunks.push(chunk);
  return Buffer.concat(chunks).toString('latin1');
}

describe('a client that does not read', () => {
  test('stops the reading of its message, and times out', async () => {
    const mailbox = new RecordingMailbox([Buffer.alloc(8 * MEBIBYTE, 'x')]);
    mailbox.chunkOctets = 65_536;
    let reads = 0;
    mailbox.onRead = () => void reads++;
    const { clock, client, conversation, ended } = await session(new Server({ mailbox }), 'RETR 1\r\nQUIT\r\n');
    expect(reads).toBeLessThan(5);
    expect(conversation.memory.held).toBeLessThan(256 * 1024);
    await clock.advance(600_000);
    await clock.advance(5_000);
    client.destroy();
    await ended;
    expect(mailbox.calls).toEqual(['open 0', 'close', 'logout']);
  });

  test('of a long listing holds a bounded part of it', async () => {
    const mailbox = new RecordingMailbox([]);
    mailbox.messages = Array.from({ length: 20_000 }, (_, index) => ({
      octets: 1,
      uid: `${index}`.padStart(60, 'u'),
    }));
    const { client, conversation, ended } = await session(new Server({ mailbox }), 'UIDL\r\nUIDL\r\nQUIT\r\n');
    expect(conversation.memory.held).toBeLessThan(256 * 1024);
    const text = readAll(client);
    client.end();
    await ended;
    expect((await text).split('\r\n')).toHaveLength(2 * 20_002 + 5);
  });

  test('that disconnects within a message frees the content', async () => {
    const mailbox = new RecordingMailbox([Buffer.alloc(8 * MEBIBYTE, 'x')]);
    mailbox.chunkOctets = 65_536;
    const { client, ended } = await session(new Server({ mailbox }), 'RETR 1\r\n');
    client.destroy();
    await ended;
    expect(mailbox.calls).toEqual(['open 0', 'close', 'logout']);
  });
});

test('a message that the client reads slowly arrives whole', async () => {
  const lines = Buffer.from(
    Array.from({ length: 60_000 }, (_, index) => `${'.'.repeat(index % 3)}${index}\r\n`).join(''),
  );
  const mailbox = new RecordingMailbox([lines]);
  mailbox.chunkOctets = 10_000;
  const { client, ended } = await session(new Server({ mailbox }), 'RETR 1\r\nQUIT\r\n');
  const text = readAll(client);
  client.end();
  await ended;
  const stuffed = lines.toString('latin1').replaceAll(/^\./gm, '..');
  expect(await text).toContain(`+OK ${lines.length} octets\r\n${stuffed}.\r\n+OK POP3 server signing off\r\n`);
  expect(mailbox.calls).toEqual(['open 0', 'close', 'update [] [0]', 'logout']);
});
