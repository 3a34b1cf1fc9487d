import { once } from 'node:events';
import { connect } from 'node:net';
import { Deadlines } from '@postern/conversation';
import { listen } from '@postern/node';
import { FakeClock } from '@postern/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { gone, LOOPBACK } from './served.ts';

describe('a listener that closes', () => {
  it('waits for what protocols clear away whose connections it has destroyed', async () => {
    const { closing, clock, led } = await closingAfterGrace(async () => {
      for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
    });
    let closed = false;
    void closing.then(() => {
      closed = true;
    });
    await led;
    expect(closed).toBe(false);
    await closing;
    expect(clock.now()).toBe(5000);
  });

  it('does not wait for ever for protocols that do not end', async () => {
    const { closing, clock } = await closingAfterGrace(() => new Promise(() => {}));
    await clock.advance(3000);
    await closing;
  });
});

/** A listener whose grace of five seconds is over; its one protocol clears away when its connection is gone. */
async function closingAfterGrace(clearAway: () => Promise<void>) {
  const clock = new FakeClock();
  const led = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const listener = await listen({
    endpoint: LOOPBACK,
    conversation: { deadlines: new Deadlines(clock) },
    async protocol({ signal }) {
      begun.resolve();
      await gone(signal);
      await clearAway();
      led.resolve();
    },
  });
  const client = connect(listener.address.port, '127.0.0.1');
  onTestFinished(() => void client.destroy());
  await Promise.all([once(client, 'connect'), begun.promise]);
  const closing = listener.close({ grace: 5000 });
  await clock.advance(5000);
  return { closing, clock, led: led.promise };
}
