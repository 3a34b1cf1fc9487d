import {
  BareLineEnding,
  Closing,
  type LineError,
  type LineListener,
  LineTooLong,
  PeerGone,
  TimedOut,
  TurnQueue,
} from '@postern/conversation';
import { systemClock } from '@postern/core';
import { settle } from '@postern/testing';
import { describe, expect, it } from 'vitest';
import { converse, hear } from './converse.ts';

describe('hearLine', () => {
  it('returns a complete line at once, and waits for an incomplete one', async () => {
    const { conversation, client } = converse();
    void client.write('one\r\ntwo\r\nthr');
    expect(await conversation.hearLine(100)).toBe('one');
    expect(conversation.hearLine(100)).toBe('two');
    const third = conversation.hearLine(100);
    expect(third).toBeInstanceOf(Promise);
    void client.write('ee\r\n');
    expect(await third).toBe('three');
  });

  it('returns undefined, again and again, after the peer has ended between two lines', async () => {
    const { conversation, client } = converse();
    void client.write('one\r\n');
    client.end();
    expect(await conversation.hearLine(100)).toBe('one');
    expect(await conversation.hearLine(100)).toBeUndefined();
    expect(await conversation.hearLine(100)).toBeUndefined();
  });

  it('rejects with PeerGone when the peer disconnects within a line', async () => {
    const { conversation, client } = converse();
    void client.write('on');
    client.end();
    await expect(hear(conversation)).rejects.toThrow(PeerGone);
  });

  it('rejects with PeerGone when the peer disconnects within a line that failed', async () => {
    const { conversation, client } = converse();
    void client.write('1234567');
    client.end();
    await expect(hear(conversation, 6)).rejects.toThrow(LineTooLong);
    await expect(hear(conversation, 6)).rejects.toThrow(PeerGone);
  });

  it('rejects with PeerGone and the cause when the connection breaks, also later', async () => {
    const { conversation, client } = converse();
    const heard = hear(conversation);
    await settle();
    client.reset();
    await expect(heard).rejects.toMatchObject({ code: 'peer-gone', cause: { code: 'ECONNRESET' } });
    await expect(hear(conversation)).rejects.toThrow(PeerGone);
  });

  it('rejects as soon as a line is bad, and continues after it', async () => {
    const { conversation, client } = converse();
    void client.write('1234567');
    await expect(hear(conversation, 6)).rejects.toThrow(LineTooLong);
    void client.write('8\r\nbare\n');
    await expect(hear(conversation, 6)).rejects.toThrow(BareLineEnding);
    void client.write('more\r\nnext\r\n');
    expect(await hear(conversation, 6)).toBe('next');
  });

  it('hears lines that LF ends, after lineEnding is set between two lines', async () => {
    const { conversation, client } = converse();
    expect(conversation.lineEnding).toBe('crlf');
    void client.write('one\r\ntwo\r\nth\nr');
    expect(await conversation.hearLine(100)).toBe('one');
    conversation.lineEnding = 'lf';
    expect(conversation.lineEnding).toBe('lf');
    expect(conversation.hearLine(100)).toBe('two\r');
    expect(conversation.hearLine(100)).toBe('th');
    const fourth = hear(conversation);
    void client.write('ee\n');
    expect(await fourth).toBe('ree');
  });

  it('refuses another line ending within a line', async () => {
    const { conversation, client } = converse();
    void client.write('on');
    const heard = hear(conversation);
    await settle();
    expect(() => {
      conversation.lineEnding = 'lf';
    }).toThrow(new TypeError('the line ending changes between two lines only'));
    void client.write('e\r\n');
    expect(await heard).toBe('one');
  });

  it('keeps no octets of a line without end', async () => {
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

  it('limits a line that drips to readTimeout', async () => {
    const { conversation, client, clock } = converse({ readTimeout: 10_000 });
    const heard = expect(hear(conversation)).rejects.toThrow(TimedOut);
    for (let i = 0; i < 10; i++) {
      void client.write('x');
      await clock.advance(1_000);
    }
    await heard;
  });

  it('hears the rest after a timeout', async () => {
    const { conversation, client, clock } = converse({ readTimeout: 1_000 });
    void client.write('half ');
    const heard = expect(hear(conversation)).rejects.toThrow(TimedOut);
    await clock.advance(1_000);
    await heard;
    void client.write('a line\r\n');
    expect(await hear(conversation)).toBe('half a line');
  });

  it('yields its turn between many lines', async () => {
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

  it('rejects with Closing although the peer sends without pause', async () => {
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

  it('rejects with Closing only if it is interruptible and has to wait', async () => {
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
  /** Records the lines, and returns false after `last`. */
  class Notes implements LineListener {
    readonly maxOctets = 10;
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

  it('calls the listener for each line until it returns false', async () => {
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

  it('passes on lines that have arrived synchronously', async () => {
    const { conversation, client } = converse();
    await client.write('one\r\nlast\r\n');
    const notes = new Notes();
    void conversation.hearLines(notes);
    expect(notes.heardLines).toEqual(['one', 'last']);
  });

  it('waits for the listener, which may hear by itself meanwhile', async () => {
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

  it('passes on the error of a bad line, and then the next line', async () => {
    const { conversation, client } = converse();
    const notes = new Notes();
    const heard = conversation.hearLines(notes);
    await client.write('far too long a line\r\na\nb\r\nlast\r\n');
    await heard;
    expect(notes.heardLines).toEqual(['line-too-long', 'bare-line-ending', 'last']);
  });

  it('resolves when the peer ends between two lines, rejects within one', async () => {
    const { conversation, client } = converse();
    await client.write('one\r\n');
    client.end();
    await expect(conversation.hearLines(new Notes())).resolves.toBeUndefined();
    const other = converse();
    await other.client.write('on');
    other.client.end();
    await expect(other.conversation.hearLines(new Notes())).rejects.toThrow(PeerGone);
  });

  it('rejects with the error of the listener and hears no more', async () => {
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

  it('rejects with Closing exactly while the listener is interruptible', async () => {
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

  it('calls acceptsFirst once, with the first octet', async () => {
    for (const lines of [true, false]) {
      const { conversation, client } = converse();
      const notes = new Notes();
      const octets: number[] = [];
      const acceptsFirst = (octet: number): boolean => octets.push(octet) > 0 && lines;
      const heard = conversation.hearLines(Object.assign(notes, { acceptsFirst }));
      await client.write('one\r\n');
      await client.write('last\r\n');
      await heard;
      expect(octets).toEqual([0x6f]);
      expect(notes.heardLines).toEqual(lines ? ['one', 'last'] : []);
    }
  });

  it('makes a second hear throw while it waits', async () => {
    const { conversation, client } = converse();
    const heard = conversation.hearLines(new Notes());
    await expect(async () => conversation.hearLine(10)).rejects.toThrow(TypeError);
    await client.write('last\r\n');
    await heard;
  });
});
