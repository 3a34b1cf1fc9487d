import { Conversation, release } from '@postern/conversation';
import { memoryPipe } from '@postern/testing';
import { describe, expect, it } from 'vitest';

describe('release', () => {
  it('frees a buffer that is not shared', () => {
    const bytes = new Uint8Array(65_536);
    release(bytes);
    expect(bytes.buffer.detached).toBe(true);
  });

  it('keeps a buffer that is shared', () => {
    const whole = new Uint8Array(65_536);
    release(whole.subarray(1));
    release(Buffer.from('from a pool'));
    release(new Uint8Array(new SharedArrayBuffer(65_536)));
    expect(whole.buffer.detached).toBe(false);
  });
});

describe('a message', () => {
  it('passes on the whole chunk with its last piece, not before', async () => {
    const { client, server } = memoryPipe();
    const conversation = new Conversation(server);
    const text = `${'x'.repeat(40_000)}\r\n`;
    await client.write(text);
    const heard: { piece: number; used: number | undefined }[] = [];
    const message = conversation.hearMessage((piece, used) => {
      heard.push({ piece: piece.length, used: used?.length });
      if (used !== undefined) release(used);
    });
    await client.write('.\r\nQUIT\r\n');
    expect((await message).octets).toBe(text.length);
    expect(heard).toEqual([{ piece: text.length, used: text.length }]);
    expect(await conversation.hearLine(100)).toBe('QUIT');
  });
});
