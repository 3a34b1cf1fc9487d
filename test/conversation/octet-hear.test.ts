import { Closing, PeerGone, TimedOut } from '@postern/conversation';
import { settle } from '@postern/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { converse } from './converse.ts';

describe('hearOctets', () => {
  it('resolves with the octets behind a line, and then with undefined at the end', async () => {
    const { conversation, client } = converse();
    void client.write('HELLO\r\n\0\xff');
    expect(await conversation.hearLine(100)).toBe('HELLO');
    expect(await conversation.hearOctets()).toEqual(Buffer.from('\0\xff'));
    client.end();
    expect(await conversation.hearOctets()).toBeUndefined();
    expect(await conversation.hearOctets()).toBeUndefined();
  });

  it('sends the output and waits for octets', async () => {
    const { conversation, client } = converse();
    conversation.say('220 hello\r\n');
    const heard = conversation.hearOctets();
    expect(String(client.read())).toBe('220 hello\r\n');
    void client.write('later');
    expect(String(await heard)).toBe('later');
  });

  it('rejects after readTimeout, after expireIn, and at an interrupt', async () => {
    const { conversation, clock } = converse({ readTimeout: 5_000 });
    const first = expect(conversation.hearOctets()).rejects.toThrow(TimedOut);
    await clock.advance(6_001);
    await first;
    const second = expect(conversation.hearOctets()).rejects.toThrow(Closing);
    conversation.interrupt(new Closing());
    await second;
    conversation.expireIn(1_000);
    const third = expect(conversation.hearOctets()).rejects.toThrow(TimedOut);
    await clock.advance(2_001);
    await third;
  });

  it('rejects with Closing when the server shuts down, if it is interruptible', async () => {
    const shutdown = new AbortController();
    const { conversation, client } = converse({ shutdownSignal: shutdown.signal });
    const heard = conversation.hearOctets();
    const whole = heard.then(() => conversation.hearOctets(true));
    const interrupted = expect(whole).rejects.toThrow(Closing);
    shutdown.abort();
    void client.write('finished');
    expect(String(await heard)).toBe('finished');
    await interrupted;
    void client.write('late');
    expect(String(await conversation.hearOctets(true))).toBe('late');
    await expect(conversation.hearOctets(true)).rejects.toThrow(Closing);
  });

  it('resolves with all octets in order, in each slicing', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ minLength: 1, maxLength: 300 }),
        fc.integer({ min: 1 }),
        async (octets, seed) => {
          const { conversation, client } = converse({}, { chunks: { seed } });
          void client.write(octets);
          client.end();
          const pieces: Buffer[] = [];
          for (
            let piece = await conversation.hearOctets();
            piece !== undefined;
            piece = await conversation.hearOctets()
          ) {
            expect(piece.length).toBeGreaterThan(0);
            pieces.push(piece);
          }
          expect(Buffer.concat(pieces)).toEqual(Buffer.from(octets));
        },
      ),
    );
  });

  it('rejects if the connection breaks, and runs beside no other hear', async () => {
    const { conversation, server } = converse();
    const hear = expect(conversation.hearOctets()).rejects.toThrow(PeerGone);
    await expect(conversation.hearOctets()).rejects.toThrow(TypeError);
    server.reset();
    conversation.interrupt(new PeerGone());
    await hear;
    await settle();
  });
});
