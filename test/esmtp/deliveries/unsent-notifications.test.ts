import { TimedOut } from '@postern/conversation';
import { PerRecipientDelivery, type RecipientResult, Rejection, Reply } from '@postern/esmtp';
import { settle } from '@postern/testing';
import { describe, expect, it } from 'vitest';
import { codes, envelopeFor, FULL, SUCCESS, send, setUp, TEXT, told } from './notifying-support.ts';

describe('a notification that cannot be sent', () => {
  const REFUSED = new Rejection(550, '5.1.1', 'No such user');

  it.each(['onFrom', 'onTo', 'onOpen', 'onWrite', 'onEnd'] as const)(
    "is reported, and leaves the failure to the client's reply: an error in %s",
    async (where) => {
      for (const error of [REFUSED, new Error('no way')]) {
        const { delivery, through, errors } = setUp([FULL, undefined]);
        through[where] = (): never => {
          throw error;
        };
        const message = await delivery.openMessage(envelopeFor([{}, {}]));
        await message.write(Buffer.from(TEXT));
        expect(codes(await message.end())).toEqual([552, 250]);
        expect(message.isNotified?.(0)).toBe(false);
        expect(errors).toEqual([[expect.objectContaining({ message: error.message }), 'id1']]);
      }
    },
  );

  it('is reported if it is refused after the data', async () => {
    const { delivery, through, errors } = setUp([FULL, undefined]);
    through.onEnd = () => [new Reply(451, undefined, 'Later')];
    expect(await send(delivery, envelopeFor([{}, {}]))).toEqual([552, 250]);
    expect(errors).toEqual([[expect.objectContaining({ message: '451 4.0.0 Later' }), 'id1']]);
  });

  it('may be reported to an onError that throws, or to none', async () => {
    const onError = (): never => {
      throw new Error('no log');
    };
    for (const options of [{ onError }, { onError: undefined as never }]) {
      const { delivery, through } = setUp([FULL, undefined], options);
      through.onOpen = () => Promise.reject(REFUSED);
      expect(await send(delivery, envelopeFor([{}, {}]))).toEqual([552, 250]);
    }
  });

  it('does not prevent the other notification', async () => {
    const { delivery, through, errors } = setUp([FULL, undefined]);
    const answers = [() => Promise.reject(REFUSED), () => Promise.resolve()];
    through.onOpen = () => answers.shift()?.();
    expect(await send(delivery, envelopeFor([{}, SUCCESS]))).toEqual([552, 250]);
    expect(through.delivered.map((one) => told(one).actions)).toEqual([['r1 delivered']]);
    expect(errors).toHaveLength(1);
  });

  it.each([
    ['onFrom', ['from']],
    ['onTo', ['from', 'to']],
    ['onOpen', ['from', 'to', 'open']],
    ['onWrite', ['from', 'to', 'open', 'abort']],
    ['onEnd', ['from', 'to', 'open', 'end']],
  ] as const)('is one that takes too long in %s: then the client waits no longer', async (where, calls) => {
    const { delivery, through, errors, clock } = setUp([FULL, undefined]);
    through[where] = () => new Promise<never>(() => {});
    let results: readonly number[] | undefined;
    const sent = send(delivery, envelopeFor([{}, SUCCESS])).then((known) => {
      results = known;
    });
    await clock.advance(29_000);
    expect(results).toBeUndefined();
    await clock.advance(2_000);
    await sent;
    expect(results).toEqual([552, 250]);
    expect(through.calls).toEqual(calls);
    // Both, since they share the time.
    expect(errors).toEqual([
      [expect.any(TimedOut), 'id1'],
      [expect.any(TimedOut), 'id1'],
    ]);
  });

  it('is aborted if it opens too late', async () => {
    const { delivery, through, clock } = setUp([FULL, undefined], { notifyTimeout: 5_000 });
    const { promise, resolve } = Promise.withResolvers<void>();
    through.onOpen = () => promise;
    const sent = send(delivery, envelopeFor([{}, {}]));
    await clock.advance(6_000);
    expect(await sent).toEqual([552, 250]);
    resolve();
    await settle();
    expect(through.calls).toEqual(['from', 'to', 'open', 'abort']);
  });

  it('is aborted in time for a client whose message took long', async () => {
    const { delivery, inner, through, errors, clock } = setUp(undefined, { endTimeout: 10_000 });
    const ends = Promise.withResolvers<readonly RecipientResult[]>();
    inner.onEnd = () => ends.promise;
    through.onEnd = () => new Promise<never>(() => {});
    const sent = send(delivery, envelopeFor([{}, {}]));
    await clock.advance(8_000);
    ends.resolve([FULL, undefined]);
    await clock.advance(3_000);
    expect(await sent).toEqual([552, 250]);
    expect(errors).toEqual([[expect.any(TimedOut), 'id1']]);
  });

  it('is aborted in time for a PerRecipientDelivery around it, if it is of success', async () => {
    const { delivery, inner, through, errors, clock } = setUp(undefined);
    const ends = Promise.withResolvers<void>();
    inner.onEnd = () => ends.promise;
    through.onEnd = () => new Promise<never>(() => {});
    const sent = send(new PerRecipientDelivery(() => delivery, { clock }), envelopeFor([SUCCESS]));
    await clock.advance(600_000);
    ends.resolve();
    await clock.advance(12_000);
    expect(await sent).toEqual([250]);
    expect(through.calls).toEqual(['from', 'to', 'open', 'end']);
    expect(errors).toEqual([[expect.any(TimedOut), 'id1']]);
  });

  it('is not sent if no time is left', async () => {
    const { delivery, inner, through, errors, clock } = setUp(undefined, { endTimeout: 10_000 });
    const ends = Promise.withResolvers<readonly RecipientResult[]>();
    inner.onEnd = () => ends.promise;
    const sent = send(delivery, envelopeFor([{}, {}]));
    await clock.advance(10_000);
    ends.resolve([FULL, undefined]);
    expect(await sent).toEqual([552, 250]);
    expect(through.calls).toEqual([]);
    expect(errors).toEqual([[expect.any(TimedOut), 'id1']]);
  });
});
