import { once } from 'node:events';
import { connect } from 'node:net';
import { Closing, Deadlines, type Protocol } from '@postern/conversation';
import { type ListenerError, listen } from '@postern/node';
import { FakeClock } from '@postern/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { gone, LOOPBACK } from './served.ts';

describe('a listener that closes', () => {
  it('has those that hear their peers say a last word, a second before the grace is over', async () => {
    const { closing, clock, client, troubles } = await closingListener(async (conversation) => {
      await expect(Promise.resolve(conversation.hearMessage(() => {}))).rejects.toThrow(Closing);
      conversation.say('bye\r\n');
    });
    const heard = once(client, 'data');
    await clock.advance(3000);
    client.write('in the middle');
    await clock.advance(1000);
    expect(String((await heard)[0])).toBe('bye\r\n');
    await closing;
    expect(clock.now()).toBe(4000);
    expect(troubles).toEqual([]);
  });

  it('waits for what protocols clear away whose connections it has destroyed', async () => {
    const led = Promise.withResolvers<void>();
    const { closing, clock } = await closingListener(async ({ signal }) => {
      await gone(signal);
      for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
      led.resolve();
    });
    await clock.advance(5000);
    let closed = false;
    void closing.then(() => {
      closed = true;
    });
    await led.promise;
    expect(closed).toBe(false);
    await closing;
    expect(clock.now()).toBe(5000);
  });

  it('does not wait for ever for protocols that do not end', async () => {
    const { closing, clock, troubles } = await closingListener(() => new Promise(() => {}));
    await clock.advance(8000);
    await closing;
    expect(troubles).toEqual([{ kind: 'cut-off', connections: 1 }]);
  });
});

/** A listener that closes with a grace of five seconds, with one client and a protocol that has begun. */
async function closingListener(protocol: Protocol) {
  const clock = new FakeClock();
  const begun = Promise.withResolvers<void>();
  const troubles: ListenerError[] = [];
  const listener = await listen({
    endpoint: LOOPBACK,
    onError: (trouble) => troubles.push(trouble),
    conversation: { deadlines: new Deadlines(clock) },
    protocol(conversation) {
      begun.resolve();
      return protocol(conversation);
    },
  });
  const client = connect(listener.address.port, '127.0.0.1');
  onTestFinished(() => void client.destroy());
  await Promise.all([once(client, 'connect'), begun.promise]);
  return { closing: listener.close({ shutdownTimeout: 5000 }), clock, client, troubles };
}
