import {
  BareLineEnding,
  Closing,
  Conversation,
  type ConversationError,
  type ConversationOptions,
  Deadlines,
  type LineError,
  type LineListener,
  LineTooLong,
  PeerGone,
  systemClock,
  TimedOut,
  TurnQueue,
} from '@postern/conversation';
import { FakeClock, type MemoryPipeOptions, memoryPipe, readChunk, settle } from '@postern/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runs } from '../support/fuzz.ts';

describe('hearLine', () => {
  it('answers at once when a whole line is there, and waits for one that is not', async () => {
    const { conversation, client } = converse();
    void client.write('one\r\ntwo\r\nthr');
    expect(await conversation.hearLine(100)).toBe('one');
    expect(conversation.hearLine(100)).toBe('two');
    const third = conversation.hearLine(100);
    expect(third).toBeInstanceOf(Promise);
    void client.write('ee\r\n');
    expect(await third).toBe('three');
  });

  it('is undefined when the peer has ended between two lines, as often as it is asked', async () => {
    const { conversation, client } = converse();
    void client.write('one\r\n');
    client.end();
    expect(await conversation.hearLine(100)).toBe('one');
    expect(await conversation.hearLine(100)).toBeUndefined();
    expect(await conversation.hearLine(100)).toBeUndefined();
  });

  it('fails with PeerGone when the peer leaves in the middle of a line', async () => {
    const { conversation, client } = converse();
    void client.write('on');
    client.end();
    await expect(hear(conversation)).rejects.toThrow(PeerGone);
  });

  it('fails with PeerGone when the peer leaves in the middle of a line that was refused', async () => {
    const { conversation, client } = converse();
    void client.write('1234567');
    client.end();
    await expect(hear(conversation, 6)).rejects.toThrow(LineTooLong);
    await expect(hear(conversation, 6)).rejects.toThrow(PeerGone);
  });

  it('fails with PeerGone, and the cause, when the connection breaks, and then for good', async () => {
    const { conversation, client } = converse();
    const heard = hear(conversation);
    await settle();
    client.reset();
    await expect(heard).rejects.toMatchObject({ code: 'peer-gone', cause: { code: 'ECONNRESET' } });
    await expect(hear(conversation)).rejects.toThrow(PeerGone);
  });

  it('fails as soon as a line is too long or has a bare line ending, and goes on behind it', async () => {
    const { conversation, client } = converse();
    void client.write('1234567');
    await expect(hear(conversation, 6)).rejects.toThrow(LineTooLong);
    void client.write('8\r\nbare\n');
    await expect(hear(conversation, 6)).rejects.toThrow(BareLineEnding);
    void client.write('more\r\nnext\r\n');
    expect(await hear(conversation, 6)).toBe('next');
  });

  it('keeps nothing of a line without end', async () => {
    const { conversation, client } = converse();
    void client.write('1234567');
    await expect(hear(conversation, 6)).rejects.toThrow(LineTooLong);
    const heard = hear(conversation, 6);
    for (let i = 0; i < 50; i++) {
      await client.write('x'.repeat(100_000));
      await settle();
      expect(client.unread).toBe(0);
    }
    void client.write('\r\nnext\r\n');
    expect(await heard).toBe('next');
  });

  it('gives a line so much time and no more, however slowly it drips', async () => {
    const { conversation, client, clock } = converse({ readTimeout: 10_000 });
    const heard = expect(hear(conversation)).rejects.toThrow(TimedOut);
    for (let i = 0; i < 10; i++) {
      void client.write('x');
      await clock.advance(1_000);
    }
    await heard;
  });

  it('hears on after a time-out', async () => {
    const { conversation, client, clock } = converse({ readTimeout: 1_000 });
    void client.write('half ');
    const heard = expect(hear(conversation)).rejects.toThrow(TimedOut);
    await clock.advance(1_000);
    await heard;
    void client.write('a line\r\n');
    expect(await hear(conversation)).toBe('half a line');
  });

  it('gives others their turn now and then, however many lines are there', async () => {
    const { conversation, client } = converse({ turns: new TurnQueue(systemClock, 0) });
    void client.write('NOOP\r\n'.repeat(1_000));
    let turns = 0;
    let timer = setImmediate(function others() {
      turns++;
      timer = setImmediate(others);
    });
    for (let line = 0; line < 1_000; line++) expect(await conversation.hearLine(100)).toBe('NOOP');
    clearImmediate(timer);
    expect(turns).toBeGreaterThan(50);
  });

  it('is interrupted by a server that closes, though a peer never stops talking', async () => {
    const closing = new AbortController();
    const { conversation, client } = converse({ shutdownSignal: closing.signal, turns: new TurnQueue(systemClock, 0) });
    void client.write('NOOP\r\n'.repeat(10_000));
    closing.abort();
    const hearAll = async () => {
      for (let line = 0; line < 10_000; line++) await conversation.hearLine(100, true);
    };
    await expect(hearAll()).rejects.toThrow(Closing);
    expect(await conversation.hearLine(100)).toBe('NOOP');
  });

  it('is interrupted by a server that closes, if it has to wait and may be', async () => {
    const closing = new AbortController();
    const { conversation, client } = converse({ shutdownSignal: closing.signal });
    const interrupted = expect(hear(conversation, 100, true)).rejects.toThrow(Closing);
    await settle();
    closing.abort();
    await interrupted;
    void client.write('one\r\ntw');
    await settle();
    expect(await conversation.hearLine(100, true)).toBe('one');
    await expect(hear(conversation, 100, true)).rejects.toThrow(Closing);
    const second = conversation.hearLine(100);
    void client.write('o\r\n');
    expect(await second).toBe('two');
  });
});

describe('hearLines', () => {
  /** Writes down what is heard, and wants no more after `last`. */
  class Notes implements LineListener {
    readonly maximum = 10;
    interruptible = false;
    readonly heardLines: string[] = [];
    readonly #answer: (line: string) => void | Promise<void>;

    constructor(answer: (line: string) => void | Promise<void> = () => {}) {
      this.#answer = answer;
    }

    heard(line: string | LineError): boolean | Promise<boolean> {
      const text = typeof line === 'string' ? line : line.code;
      this.heardLines.push(text);
      return this.#answer(text)?.then(() => text !== 'last') ?? text !== 'last';
    }
  }

  it('passes lines on as they come, until the listener wants no more', async () => {
    const { conversation, client } = converse();
    const notes = new Notes();
    const heard = conversation.hearLines(notes);
    await client.write('one\r\ntwo\r\nthr');
    await settle();
    expect(notes.heardLines).toEqual(['one', 'two']);
    await client.write('ee\r\nlast\r\nnext\r\n');
    await heard;
    expect(notes.heardLines).toEqual(['one', 'two', 'three', 'last']);
    expect(await conversation.hearLine(100)).toBe('next');
  });

  it('passes lines that are there already on at once', async () => {
    const { conversation, client } = converse();
    await client.write('one\r\nlast\r\n');
    const notes = new Notes();
    void conversation.hearLines(notes);
    expect(notes.heardLines).toEqual(['one', 'last']);
  });

  it('waits for a listener that takes its time, who may hear by himself meanwhile', async () => {
    const { conversation, client } = converse();
    const own: (string | undefined)[] = [];
    const notes = new Notes(async (line) => {
      if (line === 'ask') own.push(await conversation.hearLine(100));
    });
    const heard = conversation.hearLines(notes);
    await client.write('ask\r\nanswer\r\nlast\r\n');
    await heard;
    expect(notes.heardLines).toEqual(['ask', 'last']);
    expect(own).toEqual(['answer']);
  });

  it('tells why there is no line, and goes on with the next', async () => {
    const { conversation, client } = converse();
    const notes = new Notes();
    const heard = conversation.hearLines(notes);
    await client.write('far too long a line\r\na\nb\r\nlast\r\n');
    await heard;
    expect(notes.heardLines).toEqual(['line-too-long', 'bare-line-ending', 'last']);
  });

  it('ends when the peer has, between two lines, and fails in the middle of one', async () => {
    const { conversation, client } = converse();
    await client.write('one\r\n');
    client.end();
    await expect(conversation.hearLines(new Notes())).resolves.toBeUndefined();
    const other = converse();
    await other.client.write('on');
    other.client.end();
    await expect(other.conversation.hearLines(new Notes())).rejects.toThrow(PeerGone);
  });

  it('fails with what the listener fails with, and hears no more', async () => {
    for (const answer of [
      () => {
        throw new RangeError('a bug');
      },
      () => Promise.reject(new RangeError('a bug')),
    ]) {
      const { conversation, client } = converse();
      const notes = new Notes(answer);
      const heard = conversation.hearLines(notes);
      await client.write('one\r\ntwo\r\n');
      await expect(heard).rejects.toThrow(RangeError);
      expect(notes.heardLines).toEqual(['one']);
    }
  });

  it('is broken off by a server that closes, exactly while the listener can be', async () => {
    const closing = new AbortController();
    const { conversation, client } = converse({ shutdownSignal: closing.signal });
    const notes = new Notes((line) => {
      notes.interruptible = line !== 'begin';
    });
    const heard = conversation.hearLines(notes);
    await client.write('begin\r\n');
    await settle();
    closing.abort();
    await client.write('end\r\n');
    await expect(heard).rejects.toThrow(Closing);
    expect(notes.heardLines).toEqual(['begin', 'end']);
  });

  it('asks once whether what begins like this is one of lines', async () => {
    for (const lines of [true, false]) {
      const { conversation, client } = converse();
      const notes = new Notes();
      const octets: number[] = [];
      const begins = (octet: number): boolean => octets.push(octet) > 0 && lines;
      const heard = conversation.hearLines(Object.assign(notes, { begins }));
      await client.write('one\r\n');
      await client.write('last\r\n');
      await heard;
      expect(octets).toEqual([0x6f]);
      expect(notes.heardLines).toEqual(lines ? ['one', 'last'] : []);
    }
  });

  it('lets nobody else hear while it waits', async () => {
    const { conversation, client } = converse();
    const heard = conversation.hearLines(new Notes());
    await expect(async () => conversation.hearLine(10)).rejects.toThrow(TypeError);
    await client.write('last\r\n');
    await heard;
  });
});

describe('hearBytes', () => {
  it('takes exactly so many octets, in views of what came', async () => {
    const { conversation, client } = converse();
    void client.write('BDAT 7\r\n1234');
    expect(await conversation.hearLine(100)).toBe('BDAT 7');
    const pieces: string[] = [];
    const heard = conversation.hearBytes(7, (piece) => void pieces.push(Buffer.from(piece).toString()));
    await settle();
    void client.write('567QUIT\r\n');
    await heard;
    expect(pieces).toEqual(['1234', '567']);
    expect(conversation.hearLine(100)).toBe('QUIT');
  });

  it('takes none at all without waiting', async () => {
    const { conversation } = converse();
    await conversation.hearBytes(0, () => {
      throw new Error('there is nothing to take');
    });
  });

  it('does not believe a number: what does not come is not waited for in memory', async () => {
    const { conversation, client } = converse();
    void client.write('few');
    client.end();
    let taken = 0;
    const take = (piece: Uint8Array): void => {
      taken += piece.length;
    };
    await expect(async () => conversation.hearBytes(Number.MAX_SAFE_INTEGER, take)).rejects.toThrow(PeerGone);
    expect(taken).toBe(3);
  });

  it('consumes the rest when nobody takes it, and says why only then', async () => {
    const { conversation, client } = converse();
    let asked = 0;
    const heard = conversation.hearBytes(9, () => {
      asked++;
      throw new RangeError('full');
    });
    void client.write('12345');
    await settle();
    void client.write('6789NOOP\r\n');
    await expect(heard).rejects.toThrow('full');
    expect(asked).toBe(1);
    expect(conversation.hearLine(100)).toBe('NOOP');
  });
});

describe('hearMessage', () => {
  it('hears a message to its end, and what follows is input', async () => {
    const { conversation, client } = converse();
    void client.write('Subject: hi\r\n\r\n..dot\r\n.\r\nQUIT\r\n');
    expect(await message(conversation)).toEqual({
      text: 'Subject: hi\r\n\r\n.dot\r\n',
      octets: 21,
      bareLineEndings: false,
    });
    expect(conversation.hearLine(100)).toBe('QUIT');
  });

  it('comes to the same for every split', async () => {
    const input = 'a\r\n..b\r\n.c\r\nd\ne\r\n.\r\nQUIT\r\n';
    for (let at = 1; at < input.length; at++) {
      const { conversation, client } = converse({}, { chunks: { splitAt: at } });
      void client.write(input);
      expect(await message(conversation)).toEqual({
        text: 'a\r\n.b\r\nc\r\nd\ne\r\n',
        octets: 15,
        bareLineEndings: true,
      });
      expect(await conversation.hearLine(100)).toBe('QUIT');
    }
  });

  it('comes to the same for any chunks, with commands before and behind', async () => {
    const text = fc.array(fc.constantFrom('.', '..', '\r\n', 'text', '\n', '\r'), { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(text, fc.integer(), async (parts, seed) => {
        const whole = `DATA\r\n${parts.join('')}\r\n.\r\nQUIT\r\n`;
        const [expected, actual] = await Promise.all([dialogueOf(whole), dialogueOf(whole, { chunks: { seed } })]);
        expect(actual).toEqual(expected);
      }),
      { numRuns: runs(300) },
    );
  });

  it('waits for whoever takes the pieces, and meanwhile reads no further', async () => {
    const { conversation, client } = converse({}, { highWaterMark: 1_000 });
    const sink = Promise.withResolvers<void>();
    const heard = conversation.hearMessage(() => sink.promise);
    void client.write('x'.repeat(100));
    await settle();
    const waiting = client.write('x'.repeat(2_000));
    expect(waiting).toBeInstanceOf(Promise);
    sink.resolve();
    await waiting;
    void client.write('\r\n.\r\n');
    expect(await heard).toEqual({ octets: 2_102, bareLineEndings: false });
  });

  it('lets a slow taker take its time: patience is for the peer', async () => {
    const { conversation, client, clock } = converse({ readTimeout: 1_000 });
    const sink = Promise.withResolvers<void>();
    const heard = conversation.hearMessage(() => sink.promise);
    void client.write('hello\r\n.\r\n');
    await clock.advance(60_000);
    sink.resolve();
    expect(await heard).toMatchObject({ octets: 7 });
  });

  it.each([
    [
      'throws',
      () => {
        throw new RangeError('full');
      },
    ],
    ['rejects', () => Promise.reject(new RangeError('full'))],
  ])('consumes the message to its end when the taker %s, and says why only then', async (_title, take) => {
    const { conversation, client } = converse();
    let asked = 0;
    const heard = conversation.hearMessage(() => {
      asked++;
      return take();
    });
    const outcome = expect(heard).rejects.toThrow('full');
    void client.write('hello\r\n.');
    await settle();
    void client.write('.\r\nmore\r\n.\r\nNOOP\r\n');
    await outcome;
    expect(asked).toBe(1);
    expect(conversation.hearLine(100)).toBe('NOOP');
  });

  it('fails with PeerGone when the peer leaves before the end', async () => {
    const { conversation, client } = converse();
    void client.write('hello\r\n.');
    client.end();
    await expect(message(conversation)).rejects.toThrow(PeerGone);
  });

  it('gives up on a peer that sends an octet now and then', async () => {
    const { conversation, client, clock } = converse({ readTimeout: 60_000 });
    const heard = expect(message(conversation)).rejects.toThrow(TimedOut);
    for (let i = 0; i < 13; i++) {
      void client.write('x');
      await clock.advance(5_000);
    }
    await heard;
  });

  it('bears with a peer that is slow, but not too slow', async () => {
    const { conversation, client, clock } = converse({ readTimeout: 60_000, minimumRate: 100 });
    const heard = message(conversation);
    for (let i = 0; i < 100; i++) {
      void client.write('x'.repeat(500));
      await clock.advance(5_000);
    }
    void client.write('\r\n.\r\n');
    expect(await heard).toMatchObject({ octets: 50_002 });
  });
});

describe('say', () => {
  it('joins what is said until the conversation would wait for the peer', async () => {
    const { conversation, client } = converse();
    void client.write('one\r\ntwo\r\n');
    for (let line = await conversation.hearLine(100); line !== 'two'; line = await conversation.hearLine(100)) {
      conversation.say(`250 ${line}\r\n`);
    }
    conversation.say('250 two\r\n');
    expect(client.unread).toBe(0);
    const heard = conversation.hearLine(100);
    await settle();
    expect(Buffer.from((await readChunk(client)) ?? []).toString()).toBe('250 one\r\n250 two\r\n');
    client.end();
    expect(await heard).toBeUndefined();
  });

  it('sends before any wait, lest both sides wait for the other', async () => {
    for (const wait of [
      async (conversation: Conversation) => conversation.hearBytes(1, () => {}),
      (conversation: Conversation) => message(conversation),
      (conversation: Conversation) => hear(conversation),
    ]) {
      const { conversation, client } = converse();
      conversation.say('354 go ahead\r\n');
      const waiting = wait(conversation).catch(() => {});
      await settle();
      expect(client.unread).toBe(14);
      client.end();
      await waiting;
    }
  });

  it('does not keep more than 64 KiB to itself', () => {
    const { conversation, client } = converse({}, { highWaterMark: 1_000_000 });
    conversation.say('x'.repeat(65_536));
    expect(client.unread).toBe(0);
    conversation.say('x');
    expect(client.unread).toBe(65_537);
  });

  it('stops hearing a peer that does not read, and gives it up in time', async () => {
    const { conversation, client, clock } = converse({ readTimeout: 10_000 }, { highWaterMark: 1_000 });
    void client.write('NOOP\r\n'.repeat(10_000));
    let answered = 0;
    const protocol = async (): Promise<void> => {
      while ((await conversation.hearLine(100)) !== undefined) {
        conversation.say(`250 ${'x'.repeat(100)}\r\n`);
        answered++;
      }
    };
    const outcome = expect(protocol()).rejects.toThrow(TimedOut);
    for (let turn = 0; turn < 10; turn++) await settle();
    expect(answered).toBeLessThan(1_000);
    expect(client.unread).toBeLessThan(200_000);
    await clock.advance(10_000);
    await outcome;
  });
});

describe('flush', () => {
  it('sends at once', () => {
    const { conversation, client } = converse();
    conversation.say('220 hello\r\n');
    expect(conversation.flush()).toBeUndefined();
    expect(client.unread).toBe(11);
  });

  it('waits for a peer that does not read, and gives it up in time', async () => {
    const { conversation, clock } = converse({ readTimeout: 10_000 }, { highWaterMark: 10 });
    conversation.say('220 hello\r\n');
    const outcome = expect(conversation.flush()).rejects.toThrow(TimedOut);
    await clock.advance(10_000);
    await outcome;
  });

  it('fails with PeerGone when the connection is broken', async () => {
    const { conversation, client } = converse();
    client.destroy();
    conversation.say('220 hello\r\n');
    await expect(Promise.resolve(conversation.flush())).rejects.toThrow(PeerGone);
    expect(() => conversation.flush()).toThrow(PeerGone);
  });
});

describe('send', () => {
  it('sends bytes behind what was said, as fast as the peer takes them', async () => {
    const { conversation, client } = converse({}, { highWaterMark: 10 });
    conversation.say('DATA\r\n');
    const sent = conversation.send(Buffer.from('0123456789\xff', 'latin1'));
    await settle();
    expect(Buffer.from((await readChunk(client)) ?? []).toString()).toBe('DATA\r\n');
    expect(Buffer.from((await readChunk(client)) ?? []).toString('latin1')).toBe('0123456789\xff');
    await sent;
  });
});

describe('startTls', () => {
  it('sends what was said, and drops what came in the clear', async () => {
    const { conversation, client } = converse({}, { tlsPolicy: 'offered' });
    void client.write('STARTTLS\r\nMAIL FROM:<injected@example.com>\r\nRSE');
    expect(await conversation.hearLine(100)).toBe('STARTTLS');
    expect(conversation.hasInput).toBe(true);
    conversation.say('220 go ahead\r\n');
    const started = conversation.startTls();
    expect(Buffer.from((await readChunk(client)) ?? []).toString()).toBe('220 go ahead\r\n');
    await Promise.all([started, client.startTls?.()]);
    expect(conversation.hasInput).toBe(false);
    expect(conversation.transport.tls?.version).toBe('TLSv1.3');
    void client.write('T\r\n');
    expect(await conversation.hearLine(100)).toBe('T');
  });

  it('gives the handshake so much time and no more', async () => {
    const { conversation, clock } = converse({ readTimeout: 10_000 }, { tlsPolicy: 'offered' });
    const outcome = expect(conversation.startTls()).rejects.toThrow(TimedOut);
    await clock.advance(10_000);
    await outcome;
  });

  it('is a mistake where there is no TLS, or while the conversation hears', async () => {
    await expect(converse().conversation.startTls()).rejects.toThrow(TypeError);
    const { conversation, clock } = converse({ readTimeout: 1_000 }, { tlsPolicy: 'offered' });
    const heard = expect(hear(conversation)).rejects.toThrow(TimedOut);
    await expect(conversation.startTls()).rejects.toThrow(TypeError);
    await clock.advance(1_000);
    await heard;
  });
});

describe('close', () => {
  it('sends what was said, and waits for the peer to end', async () => {
    const { conversation, client } = converse();
    conversation.say('221 bye\r\n');
    const closed = conversation.close();
    expect(Buffer.from((await readChunk(client)) ?? []).toString()).toBe('221 bye\r\n');
    expect(await readChunk(client)).toBeUndefined();
    void client.write('something that nobody waits for');
    await settle();
    expect(client.closed).toBe(false);
    client.end();
    await closed;
    expect(conversation.signal.aborted).toBe(true);
    await settle();
    expect(client.closed).toBe(true);
  });

  it('is the end for who still waits for the peer', async () => {
    const { conversation, client } = converse();
    const heard = expect(hear(conversation)).rejects.toThrow(PeerGone);
    const closed = conversation.close();
    await heard;
    client.end();
    await closed;
  });

  it('lets a peer that has ended already read what was said', async () => {
    const { conversation, client } = converse({}, { highWaterMark: 4 });
    void client.write('QUIT\r\n');
    client.end();
    expect(await conversation.hearLine(100)).toBe('QUIT');
    expect(await conversation.hearLine(100)).toBeUndefined();
    conversation.say('221 bye\r\n');
    const closed = conversation.close();
    await settle();
    expect(Buffer.from((await readChunk(client)) ?? []).toString()).toBe('221 bye\r\n');
    expect(await readChunk(client)).toBeUndefined();
    await closed;
  });

  it('is over for all who have asked for it as soon as the peer has ended', async () => {
    const { conversation, client } = converse();
    const closed = Promise.all([conversation.close(), conversation.close()]);
    client.end();
    expect(await readChunk(client)).toBeUndefined();
    await closed;
    expect(client.closed).toBe(true);
  });

  it('is over at once when the peer has taken what was said and is gone', async () => {
    const { conversation, client } = converse({}, { highWaterMark: 4 });
    conversation.say('221 bye\r\n');
    const closed = conversation.close();
    expect(client.read()).toHaveLength(9);
    client.reset();
    await closed;
  });

  it('closes on a peer that does not end, soon', async () => {
    const { conversation, client, clock } = converse();
    const closed = conversation.close();
    for (let i = 0; i < 5; i++) {
      void client.write('I am still here\r\n');
      await clock.advance(1_000);
    }
    await closed;
    await expect(Promise.resolve(client.write('hello?'))).rejects.toThrow('EPIPE');
  });

  it('closes on a peer that does not read, soon', async () => {
    const { conversation, clock } = converse({}, { highWaterMark: 4 });
    conversation.say('221 bye\r\n');
    const closed = conversation.close();
    await clock.advance(5_000);
    await closed;
  });

  it('does not fail when the connection is broken already', async () => {
    const { conversation, client } = converse();
    client.reset();
    conversation.say('221 bye\r\n');
    await conversation.close();
  });
});

describe('signal', () => {
  it('aborts when the connection is gone, whether asked for before or after', async () => {
    const { conversation, client } = converse();
    const { signal } = conversation;
    expect(signal.aborted).toBe(false);
    client.reset();
    await settle();
    expect(signal.aborted).toBe(true);
    expect(signal.reason).toBeInstanceOf(PeerGone);

    const other = converse();
    other.client.reset();
    await settle();
    expect(other.conversation.signal.aborted).toBe(true);
  });

  it('does not mind a peer that has only ended its side', async () => {
    const { conversation, client } = converse();
    client.end();
    await settle();
    expect(conversation.signal.aborted).toBe(false);
  });

  it('minds that while treatHalfCloseAsDisconnect is set, whenever the end came', async () => {
    const before = converse();
    before.conversation.treatHalfCloseAsDisconnect = true;
    const { signal } = before.conversation;
    before.client.end();
    await settle();
    expect(signal.aborted).toBe(true);

    const after = converse();
    after.client.end();
    await settle();
    after.conversation.treatHalfCloseAsDisconnect = true;
    expect(after.conversation.signal.aborted).toBe(true);
  });

  it('takes a peer for present as long as something of it is left to hear', async () => {
    const { conversation, client } = converse();
    void client.write('AUTH\r\nQUIT\r\n');
    client.end();
    expect(await conversation.hearLine(100)).toBe('AUTH');
    await settle();
    conversation.treatHalfCloseAsDisconnect = true;
    expect(conversation.signal.aborted).toBe(false);
  });
});

describe('within', () => {
  it('gives work so much time and no more', async () => {
    const { conversation, clock } = converse();
    expect(await conversation.within(1_000, Promise.resolve('done'))).toBe('done');
    const outcome = expect(conversation.within(1_000, new Promise(() => {}))).rejects.toThrow(TimedOut);
    await clock.advance(1_000);
    await outcome;
  });
});

describe('closing', () => {
  it('is the signal given, or one that never aborts', () => {
    const { signal } = new AbortController();
    expect(converse({ shutdownSignal: signal }).conversation.shutdownSignal).toBe(signal);
    expect(converse().conversation.shutdownSignal.aborted).toBe(false);
  });
});

describe('pause', () => {
  it('sends what was said, and ends after its time', async () => {
    const { conversation, client, clock } = converse();
    conversation.say('250 OK\r\n');
    let isOver = false;
    const over = conversation.pause(10).then(() => {
      isOver = true;
    });
    await settle();
    expect(String(client.read())).toBe('250 OK\r\n');
    await clock.advance(9);
    expect(isOver).toBe(false);
    await clock.advance(1);
    await over;
  });

  it('ends when the server takes its leave', async () => {
    const { conversation, clock } = converse();
    const over = conversation.pause(1_000);
    await settle();
    conversation.interrupt(new Closing());
    await over;
    expect(clock.pending).toBe(0);
  });

  it('ends when the connection is gone', async () => {
    const { conversation } = converse();
    const over = conversation.pause(1_000);
    await settle();
    conversation.destroy();
    await over;
  });
});

function converse(options: ConversationOptions = {}, pipe: MemoryPipeOptions = {}) {
  const clock = new FakeClock();
  const { client, server } = memoryPipe(pipe);
  const conversation = new Conversation(server, { deadlines: new Deadlines(clock), ...options });
  return { conversation, client, clock };
}

/** Hears a line, and rejects where hearLine throws. */
async function hear(conversation: Conversation, maximum = 100, interruptible = false): Promise<string | undefined> {
  return conversation.hearLine(maximum, interruptible);
}

async function message(conversation: Conversation) {
  let text = '';
  const heard = await conversation.hearMessage((piece) => {
    text += Buffer.from(piece).toString('latin1');
  });
  return { text, ...heard };
}

async function dialogueOf(input: string, pipe: MemoryPipeOptions = {}): Promise<unknown[]> {
  const { conversation, client } = converse({}, pipe);
  void client.write(input);
  client.end();
  const outcomes: unknown[] = [await hear(conversation), await message(conversation)];
  for (;;) {
    const outcome = await hear(conversation).catch((error: ConversationError) => error.code);
    outcomes.push(outcome);
    if (outcome === undefined || outcome === 'peer-gone') return outcomes;
  }
}
