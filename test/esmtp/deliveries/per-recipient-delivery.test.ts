import {
  type EndResult,
  type Envelope,
  type ForwardPath,
  Mailbox,
  type Message,
  MessageDelivery,
  type NextHop,
  PerRecipientDelivery,
  type PerRecipientDeliveryOptions,
  type RecipientResult,
  Rejection,
} from '@postern/esmtp';
import { FakeClock } from '@postern/testing';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { resultsOf } from '../../support/results.ts';
import { RecordingDelivery } from '../server.ts';

const NAMES = ['ann', 'bob', 'eve'] as const;
type Name = (typeof NAMES)[number];

const envelope: Envelope = {
  reversePath: new Mailbox('joe', 'example.com'),
  parameters: { smtpUtf8: false },
  recipients: NAMES.map((name) => ({ forwardPath: new Mailbox(name, 'example.org'), parameters: {} })),
  id: 'id1',
};

/** A delivery for each of the three, and one that fans out to them. */
function fan(options: PerRecipientDeliveryOptions = {}) {
  const deliveries = {
    ann: new RecordingDelivery(),
    bob: new RecordingDelivery(),
    eve: new RecordingDelivery(),
  } satisfies Record<Name, RecordingDelivery>;
  const routed: string[] = [];
  const route = ({ localPart }: ForwardPath): RecordingDelivery => {
    routed.push(localPart);
    const name = NAMES.find((one) => one === localPart);
    if (name === undefined) throw new Rejection(550, '5.1.1', 'No such user here');
    return deliveries[name];
  };
  return { ...deliveries, routed, delivery: new PerRecipientDelivery(route, options) };
}

/** Sends a message as LMTP does, with a reply for each recipient. Resolves to the codes. */
async function run(message: Message, text = 'hello\r\n'): Promise<readonly (number | undefined)[]> {
  await message.write(Buffer.from(text));
  return codes(await message.end(() => {}));
}

function codes(ended: EndResult): readonly (number | undefined)[] {
  return resultsOf(ended).map((reply) => reply?.code);
}

describe('PerRecipientDelivery', () => {
  it('gives each recipient a message of its own', async () => {
    const { delivery, ann, bob, eve } = fan();
    expect(await run(await delivery.openMessage(envelope))).toEqual([undefined, undefined, undefined]);
    for (const [at, { delivered, calls }] of [ann, bob, eve].entries()) {
      expect(delivered).toEqual([
        { envelope: { ...envelope, recipients: [envelope.recipients[at]] }, text: 'hello\r\n' },
      ]);
      expect(calls).toEqual(['from', 'open', 'end']);
    }
  });

  it('returns the next hop of each recipient', async () => {
    const { delivery, ann } = fan();
    const nextHop: NextHop = { host: 'next.example.net', success: 'relayed', reply: undefined };
    ann.openMessage = () => ({ nextHop: () => nextHop, write() {}, end() {}, abort() {} });
    const message = await delivery.openMessage(envelope);
    expect([0, 1, 2].map((at) => message.nextHop?.(at))).toEqual([nextHop, undefined, undefined]);
  });

  it('routes each recipient once, at RCPT', async () => {
    const { delivery, bob, routed } = fan();
    bob.onTo = () => {
      throw new Rejection(550, '5.7.1', 'Not to bob');
    };
    const [ann, other] = envelope.recipients.map(({ forwardPath }) => forwardPath) as [Mailbox, Mailbox];
    await delivery.validateTo(ann, {});
    expect(() => delivery.validateTo(other, {})).toThrow(Rejection);
    expect(() => delivery.validateTo(new Mailbox('nobody', 'example.org'), {})).toThrow('No such user');
    await delivery.openMessage({ ...envelope, recipients: envelope.recipients.slice(0, 1) });
    expect(routed).toEqual(['ann', 'bob', 'nobody']);
  });

  it.each([
    ['from', ['from']],
    ['open', ['from', 'open']],
    ['write', ['from', 'open', 'abort']],
    ['end', ['from', 'open', 'end']],
  ] as const)('keeps a failure in %s to the recipient that it is', async (where, calls) => {
    const errors: unknown[] = [];
    const { delivery, ann, bob, eve } = fan({ onError: (error) => errors.push(error) });
    const failure = new Error('disk full');
    const fail = { from: 'onFrom', open: 'onOpen', write: 'onWrite', end: 'onEnd' } as const;
    bob[fail[where]] = (): Promise<never> => Promise.reject(failure);
    eve[fail[where]] = (): never => {
      throw new Rejection(552, '5.2.2', 'Over quota');
    };
    expect(await run(await delivery.openMessage(envelope))).toEqual([undefined, 451, 552]);
    expect(ann.delivered.map(({ text }) => text)).toEqual(['hello\r\n']);
    expect(bob.calls).toEqual(calls);
    expect(eve.calls).toEqual(calls);
    expect([...bob.delivered, ...eve.delivered]).toEqual([]);
    expect(errors).toEqual([failure]);
  });

  it('verifies an address through its delivery', async () => {
    const { delivery, ann, bob } = fan();
    const mailbox = new Mailbox('Ann', 'example.org');
    const asked: string[] = [];
    const verify = (text: string): Mailbox => {
      asked.push(text);
      return mailbox;
    };
    Object.assign(ann, { verify });
    Object.assign(bob, { verify: () => Promise.reject(new Rejection(550, '5.1.1', 'Gone')) });
    expect(await delivery.verify('ann@example.org')).toBe(mailbox);
    expect(await delivery.verify('<ann@example.org>')).toBe(mailbox);
    expect(asked).toEqual(['ann@example.org', '<ann@example.org>']);
    await expect(delivery.verify('bob@example.org')).rejects.toThrow('Gone');
  });

  it('returns no mailbox for an address without a delivery or without verify', async () => {
    const { delivery, ann, routed } = fan();
    Object.assign(ann, { verify: () => new Mailbox('ann', 'example.org') });
    for (const text of ['eve@example.org', 'nobody@example.org', 'ann', 'Ann A. <ann@example.org>', '<>', '']) {
      expect(await delivery.verify(text)).toBeUndefined();
    }
    expect(routed).toEqual(['eve', 'nobody']);
    const down = new PerRecipientDelivery(() => Promise.reject(new Error('no directory')));
    await expect(down.verify('ann@example.org')).rejects.toThrow('no directory');
  });

  it('ignores an error of onError, thrown or rejected', async () => {
    for (const onError of [() => Promise.reject(new Error('no log')), () => expect.fail('no log')]) {
      const { delivery, bob } = fan({ onError: onError as () => void });
      bob.onEnd = () => Promise.reject(new Error('disk full'));
      expect(await run(await delivery.openMessage(envelope))).toEqual([undefined, 451, undefined]);
    }
  });

  it('warns the process of an error without onError', async () => {
    const warn = vi.spyOn(process, 'emitWarning').mockReturnValue();
    onTestFinished(() => warn.mockRestore());
    const { delivery, bob } = fan();
    const cause = new Error('disk full');
    bob.onEnd = () => Promise.reject(cause);
    await run(await delivery.openMessage(envelope));
    await run(await delivery.openMessage(envelope));
    expect(warn).toHaveBeenCalledExactlyOnceWith(
      expect.objectContaining({ message: 'the delivery of a recipient failed: disk full', cause }),
    );
  });

  it('returns the result of each recipient', async () => {
    const { delivery, bob } = fan();
    bob.onEnd = () => [new Rejection(450, '4.2.1', 'Busy').reply];
    expect(await run(await delivery.openMessage(envelope))).toEqual([undefined, 450, undefined]);
  });

  it('refuses a message that fails for all recipients, temporarily if one failure is temporary', async () => {
    const { delivery, ann, bob, eve } = fan();
    for (const each of [ann, eve]) {
      each.onOpen = () => {
        throw new Rejection(550, '5.2.1', 'Disabled');
      };
    }
    bob.onOpen = () => Promise.reject(new Error('no disk'));
    await expect(delivery.openMessage(envelope)).rejects.toMatchObject({ reply: { code: 451 } });
    const others = envelope.recipients.filter((_, at) => at !== 1);
    await expect(delivery.openMessage({ ...envelope, recipients: others })).rejects.toMatchObject({
      reply: { code: 550 },
    });
  });

  it.each(['onOpen', 'onWrite', 'onEnd'] as const)('does not wait for a delivery that hangs in %s', async (where) => {
    const clock = new FakeClock();
    const { delivery, ann, bob } = fan({ clock, deliveryTimeout: 5_000, endTimeout: 9_000 });
    const late = Promise.withResolvers<void>();
    bob[where] = (): Promise<void> => late.promise;
    const results = delivery.openMessage(envelope).then(run);
    let over = false;
    void results.then(() => {
      over = true;
    });
    await clock.advance(7_000);
    expect(over).toBe(where !== 'onEnd');
    await clock.advance(4_000);
    expect(await results).toEqual([undefined, 451, undefined]);
    expect(ann.delivered).toHaveLength(1);
    late.resolve();
    await clock.advance(0);
    expect(bob.calls).toEqual(
      { onOpen: ['from', 'open', 'abort'], onWrite: ['from', 'open', 'abort'], onEnd: ['from', 'open', 'end'] }[where],
    );
  });

  describe('with one reply for all recipients (SMTP)', () => {
    const DEFERRED = new Rejection(452, '4.3.1', 'No room');

    it.each(['onFrom', 'onOpen', 'onWrite'] as const)(
      'keeps the message for no recipient after a 4xx in %s',
      async (where) => {
        const { delivery, ann, bob, eve } = fan();
        bob[where] = (): never => {
          throw DEFERRED;
        };
        eve[where] = (): never => {
          throw new Rejection(552, '5.2.2', 'Over quota');
        };
        const message = await delivery.openMessage(envelope);
        await message.write(Buffer.from('hello\r\n'));
        expect(codes(await message.end())).toEqual([452, 452, 552]);
        expect(ann.calls).toEqual(['from', 'open', 'abort']);
        expect([ann, bob, eve].flatMap(({ delivered }) => delivered)).toEqual([]);
      },
    );

    it('delivers to the others after a permanent failure', async () => {
      const { delivery, ann, bob } = fan();
      bob.onOpen = (): never => {
        throw new Rejection(552, '5.2.2', 'Over quota');
      };
      const message = await delivery.openMessage(envelope);
      await message.write(Buffer.from('hello\r\n'));
      expect(codes(await message.end())).toEqual([undefined, 552, undefined]);
      expect(ann.delivered).toHaveLength(1);
    });

    it('returns for each recipient whether the sender is notified', async () => {
      const { delivery, bob } = fan();
      const end = (): readonly RecipientResult[] => [DEFERRED.reply];
      bob.openMessage = () => ({ isNotified: () => true, write() {}, end, abort() {} });
      const message = await delivery.openMessage(envelope);
      await message.end();
      expect([0, 1, 2].map((index) => message.isNotified?.(index))).toEqual([false, true, false]);
    });
  });

  it('waits for a slow delivery, and gives each delivery a chunk of its own', async () => {
    const { delivery, ann, bob, eve } = fan();
    const slow = Promise.withResolvers<void>();
    for (const each of [ann, bob, eve]) {
      each.onWrite = (chunk) => {
        chunk.fill(0x2e);
        return each === bob ? slow.promise : undefined;
      };
    }
    const message = await delivery.openMessage(envelope);
    let written = false;
    const writing = Promise.resolve(message.write(Buffer.from('hello'))).then(() => {
      written = true;
    });
    await Promise.resolve();
    expect(written).toBe(false);
    slow.resolve();
    await writing;
    await message.end();
    expect([ann, bob, eve].map(({ delivered }) => delivered[0]?.text)).toEqual(['hello', 'hello', 'hello']);
  });

  it('aborts all messages', async () => {
    const { delivery, ann, bob, eve } = fan();
    bob.onAbort = () => Promise.reject(new Error('cannot'));
    const message = await delivery.openMessage(envelope);
    await message.abort(new Error('gone'));
    for (const { calls } of [ann, bob, eve]) expect(calls).toEqual(['from', 'open', 'abort']);
  });

  it('is a MessageDelivery', () => {
    expect(fan().delivery).toBeInstanceOf(MessageDelivery);
  });
});
