import { Closing, type Conversation, PeerGone, TimedOut } from '@postern/conversation';
import { readChunk, settle } from '@postern/testing';
import { describe, expect, it } from 'vitest';
import { converse, hear, message } from './converse.ts';

describe('say', () => {
  it('sends all that was said in one write, before the first wait', async () => {
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

  it('sends before each kind of wait', async () => {
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

  it('keeps at most 64 KiB unsent', () => {
    const { conversation, client } = converse({}, { highWaterMark: 1_000_000 });
    conversation.say('x'.repeat(65_536));
    expect(client.unread).toBe(0);
    conversation.say('x');
    expect(client.unread).toBe(65_537);
  });

  it('hears nothing from a peer that does not read, and times out', async () => {
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

  it('waits for a peer that does not read, and times out', async () => {
    const { conversation, clock } = converse({ readTimeout: 10_000 }, { highWaterMark: 10 });
    conversation.say('220 hello\r\n');
    const outcome = expect(conversation.flush()).rejects.toThrow(TimedOut);
    await clock.advance(10_000);
    await outcome;
  });

  it('rejects with PeerGone when the connection is broken', async () => {
    const { conversation, client } = converse();
    client.destroy();
    conversation.say('220 hello\r\n');
    await expect(Promise.resolve(conversation.flush())).rejects.toThrow(PeerGone);
    expect(() => conversation.flush()).toThrow(PeerGone);
  });
});

describe('send', () => {
  it('sends octets after the text that was said, at the pace of the peer', async () => {
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
  it('sends the output and discards the plain-text input', async () => {
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

  it('limits the handshake to readTimeout', async () => {
    const { conversation, clock } = converse({ readTimeout: 10_000 }, { tlsPolicy: 'offered' });
    const outcome = expect(conversation.startTls()).rejects.toThrow(TimedOut);
    await clock.advance(10_000);
    await outcome;
  });

  it('throws where the transport has no TLS, and while a hear runs', async () => {
    await expect(converse().conversation.startTls()).rejects.toThrow(TypeError);
    const { conversation, clock } = converse({ readTimeout: 1_000 }, { tlsPolicy: 'offered' });
    const heard = expect(hear(conversation)).rejects.toThrow(TimedOut);
    await expect(conversation.startTls()).rejects.toThrow(TypeError);
    await clock.advance(1_000);
    await heard;
  });
});

describe('close', () => {
  it('sends the output and waits for the end of the peer', async () => {
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

  it('makes the hear that waits reject', async () => {
    const { conversation, client } = converse();
    const heard = expect(hear(conversation)).rejects.toThrow(PeerGone);
    const closed = conversation.close();
    await heard;
    client.end();
    await closed;
  });

  it('sends the output to a peer that has ended its side', async () => {
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

  it('resolves every call when the peer ends', async () => {
    const { conversation, client } = converse();
    const closed = Promise.all([conversation.close(), conversation.close()]);
    client.end();
    expect(await readChunk(client)).toBeUndefined();
    await closed;
    expect(client.closed).toBe(true);
  });

  it('resolves at once when the peer has read the output and disconnected', async () => {
    const { conversation, client } = converse({}, { highWaterMark: 4 });
    conversation.say('221 bye\r\n');
    const closed = conversation.close();
    expect(client.read()).toHaveLength(9);
    client.reset();
    await closed;
  });

  it('closes after five seconds on a peer that does not end', async () => {
    const { conversation, client, clock } = converse();
    const closed = conversation.close();
    for (let i = 0; i < 5; i++) {
      void client.write('I am still here\r\n');
      await clock.advance(1_000);
    }
    await closed;
    await expect(Promise.resolve(client.write('hello?'))).rejects.toThrow('EPIPE');
  });

  it('closes after five seconds on a peer that does not read', async () => {
    const { conversation, clock } = converse({}, { highWaterMark: 4 });
    conversation.say('221 bye\r\n');
    const closed = conversation.close();
    await clock.advance(5_000);
    await closed;
  });

  it('destroys a transport that cannot end its side, before and after a wait', async () => {
    for (const said of ['', '221 bye\r\n']) {
      const { conversation, client } = converse({}, { highWaterMark: 4 });
      conversation.transport.end = () => {
        throw new Error('ENOTCONN');
      };
      conversation.say(said);
      const closed = conversation.close();
      await readChunk(client).catch(() => {});
      await closed;
      await expect(Promise.resolve(client.write('hello?'))).rejects.toThrow('EPIPE');
    }
  });

  it('resolves when the connection is already broken', async () => {
    const { conversation, client } = converse();
    client.reset();
    conversation.say('221 bye\r\n');
    await conversation.close();
  });
});

describe('signal', () => {
  it('aborts when the connection closes, whether it was read before or after', async () => {
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

  it('does not abort for a peer that has only ended its side', async () => {
    const { conversation, client } = converse();
    client.end();
    await settle();
    expect(conversation.signal.aborted).toBe(false);
  });

  it('aborts for such a peer while treatHalfCloseAsDisconnect is true', async () => {
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

  it('does not abort while input of the peer is left to hear', async () => {
    const { conversation, client } = converse();
    void client.write('AUTH\r\nQUIT\r\n');
    client.end();
    expect(await conversation.hearLine(100)).toBe('AUTH');
    await settle();
    conversation.treatHalfCloseAsDisconnect = true;
    expect(conversation.signal.aborted).toBe(false);
  });
});

describe('addDisconnectListener', () => {
  const listening = () => {
    const listener = { calls: 0, onDisconnect: () => void listener.calls++ };
    return listener;
  };

  it('calls each listener once when the connection closes, except a removed one', async () => {
    const { conversation, client } = converse();
    const [first, second, removed] = [listening(), listening(), listening()];
    for (const listener of [first, removed, second]) conversation.addDisconnectListener(listener);
    conversation.removeDisconnectListener(removed);
    client.reset();
    await settle();
    conversation.treatHalfCloseAsDisconnect = true;
    expect([first.calls, second.calls, removed.calls]).toEqual([1, 1, 0]);
  });

  it('calls a listener at a half-close while treatHalfCloseAsDisconnect is true', async () => {
    const { conversation, client } = converse();
    const listener = listening();
    conversation.addDisconnectListener(listener);
    client.end();
    await settle();
    expect(listener.calls).toBe(0);
    conversation.treatHalfCloseAsDisconnect = true;
    expect(listener.calls).toBe(1);
  });

  it('calls a listener at once if the connection has closed', async () => {
    const { conversation, client } = converse();
    client.reset();
    await settle();
    const listener = listening();
    conversation.addDisconnectListener(listener);
    expect(listener.calls).toBe(1);
  });
});

describe('within', () => {
  it('rejects with TimedOut after the time', async () => {
    const { conversation, clock } = converse();
    expect(await conversation.within(1_000, Promise.resolve('done'))).toBe('done');
    const outcome = expect(conversation.within(1_000, new Promise(() => {}))).rejects.toThrow(TimedOut);
    await clock.advance(1_000);
    await outcome;
  });
});

describe('shutdownSignal', () => {
  it('is the signal of the options, or one that never aborts', () => {
    const { signal } = new AbortController();
    expect(converse({ shutdownSignal: signal }).conversation.shutdownSignal).toBe(signal);
    expect(converse().conversation.shutdownSignal.aborted).toBe(false);
  });
});

describe('pause', () => {
  it('sends the output and resolves after its time', async () => {
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

  it('resolves early when the conversation is interrupted', async () => {
    const { conversation, clock } = converse();
    const over = conversation.pause(1_000);
    await settle();
    conversation.interrupt(new Closing());
    await over;
    expect(clock.pending).toBe(0);
  });

  it('resolves early when the connection closes', async () => {
    const { conversation } = converse();
    const over = conversation.pause(1_000);
    await settle();
    conversation.destroy();
    await over;
  });
});
