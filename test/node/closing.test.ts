import { once } from 'node:events';
import { connect } from 'node:net';
import { Closing, Deadlines, type Protocol } from '@postern/conversation';
import { type ListenerError, listen } from '@postern/node';
import { FakeClock } from '@postern/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { gone, LOOPBACK } from './served.ts';

describe('a listener that closes', () => {
  it('lets protocols that wait for their clients send a last reply, in the last second of the timeout', async () => {
    const { closing, clock, client, errors } = await closingListener(async (conversation) => {
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
    expect(errors).toEqual([]);
  });

  it('waits for protocols to clean up after it has destroyed their connections', async () => {
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

  it('does not wait forever for protocols that do not end', async () => {
    const { closing, clock, errors } = await closingListener(() => new Promise(() => {}));
    await clock.advance(8000);
    await closing;
    expect(errors).toEqual([{ kind: 'cut-off', connections: 1 }]);
  });
});

/** Closes a listener with a timeout of 5 seconds, one client and a running protocol. */
async function closingListener(protocol: Protocol) {
  const clock = new FakeClock();
  const begun = Promise.withResolvers<void>();
  const errors: ListenerError[] = [];
  const listener = await listen({
    endpoint: LOOPBACK,
    onError: (error) => errors.push(error),
    conversation: { deadlines: new Deadlines(clock) },
    protocol(conversation) {
      begun.resolve();
      return protocol(conversation);
    },
  });
  const client = connect(listener.address.port, '127.0.0.1');
  onTestFinished(() => void client.destroy());
  await Promise.all([once(client, 'connect'), begun.promise]);
  return { closing: listener.close({ shutdownTimeout: 5000 }), clock, client, errors };
}
