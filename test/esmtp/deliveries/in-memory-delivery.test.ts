import {
  type Envelope,
  ForwardingDelivery,
  InMemoryDelivery,
  KnownRecipientsDelivery,
  LocalRecipients,
  Mailbox,
  MessageDelivery,
  NotifyingDelivery,
  OwnSenderDelivery,
  PerRecipientDelivery,
} from '@postern/esmtp';
import { type DeliveryUnderTest, messageDeliveryContract, portalFor } from '@postern/testing';
import { describe, expect, it } from 'vitest';
import { ENVELOPE, GREETED, LOGIN, Server } from '../server.ts';

const ann = new Mailbox('ann', 'example.com');
const bob = new Mailbox('bob', 'example.com');
const eve = new Mailbox('eve', 'example.com');

const envelope: Envelope = {
  reversePath: ann,
  parameters: { smtpUtf8: false },
  recipients: [{ forwardPath: bob, parameters: {} }],
  id: 'id1',
};

async function send(delivery: MessageDelivery, text: string): Promise<void> {
  const message = await delivery.openMessage(envelope);
  try {
    await message.write(Buffer.from(text));
  } catch (error) {
    await message.abort(error as Error);
    throw error;
  }
  await message.end();
}

describe('InMemoryDelivery', () => {
  it('keeps a message with its envelope, its text, its user and its client', async () => {
    const delivery = new InMemoryDelivery();
    const portal = portalFor({ ann: 'secret' }, MessageDelivery, () => delivery);
    const server = new Server({ portal });
    await server.play(`${GREETED}${LOGIN}${ENVELOPE}
      C: DATA
      S: 354...
      C: Subject: Grüße
      C: .
      S: 250...`);
    const [message, ...others] = delivery.messages;
    expect(others).toEqual([]);
    expect(message?.text).toMatch(/^Received: from client[\s\S]*\r\nSubject: Grüße\r\n$/);
    expect(Buffer.from(message?.content ?? []).toString()).toBe(message?.text);
    expect(message?.envelope.recipients.map(({ forwardPath }) => String(forwardPath))).toEqual(['bob@example.com']);
    expect(message?.avatarId).toBe('ann');
    expect(message?.mind?.protocol).toBe('smtp');
  });

  it('resolves waitFor once it has the messages, or rejects when the signal aborts', async () => {
    const delivery = new InMemoryDelivery();
    const both = delivery.waitFor(2);
    await send(delivery, 'one');
    await send(delivery, 'two');
    expect((await both).map(({ text }) => text)).toEqual(['one', 'two']);
    const stopped = new AbortController();
    const third = delivery.waitFor(3, stopped.signal);
    stopped.abort(new Error('stopped'));
    await expect(third).rejects.toThrow('stopped');
    await expect(delivery.waitFor(3, stopped.signal)).rejects.toThrow('stopped');
  });

  it('refuses messages beyond its limits with 452 4.3.1, and takes some again after clear', async () => {
    const full = { reply: { code: 452, enhanced: '4.3.1' } };
    const delivery = new InMemoryDelivery({ maxMessages: 2, maxOctets: 10 });
    await send(delivery, '12345678');
    await expect(send(delivery, 'abc')).rejects.toMatchObject(full);
    expect(() => delivery.validateTo(bob, {}, { smtpUtf8: false, size: 3 })).toThrow('452 4.3.1');
    expect(() => delivery.validateTo(bob, {}, { smtpUtf8: false, size: 2 })).not.toThrow();
    const parallel = [delivery.openMessage(envelope), delivery.openMessage(envelope)];
    await parallel[0]?.end();
    expect(() => parallel[1]?.end()).toThrow('452');
    await expect(send(delivery, '')).rejects.toMatchObject(full);
    delivery.clear();
    await send(delivery, '1234567890');
    expect(delivery.messages).toHaveLength(1);
  });
});

class PlainForwardingDelivery extends ForwardingDelivery {}

const resolver = new LocalRecipients({
  hostname: 'mx.example.com',
  mailboxes: ['ann', 'bob', 'eve'].map((name) => `${name}@example.com`),
});

/** Each delivery around a delivery in memory. */
const wrappers: readonly (readonly [string, (delivery: InMemoryDelivery) => MessageDelivery])[] = [
  ['InMemoryDelivery', (delivery) => delivery],
  ['ForwardingDelivery', (delivery) => new PlainForwardingDelivery(delivery)],
  ['PerRecipientDelivery', (delivery) => new PerRecipientDelivery(() => delivery)],
  ['OwnSenderDelivery', (delivery) => new OwnSenderDelivery(delivery, { avatarId: 'ann@example.com' })],
  ['KnownRecipientsDelivery', (delivery) => new KnownRecipientsDelivery(delivery, resolver)],
  [
    'NotifyingDelivery',
    (delivery) => new NotifyingDelivery(delivery, { through: delivery, hostname: 'mx.example.com' }),
  ],
];

/** Fails in one step of a message for `eve`. */
class FaultyDelivery extends InMemoryDelivery {
  readonly #step: 'openMessage' | 'write' | 'end';

  constructor(step: 'openMessage' | 'write' | 'end') {
    super();
    this.#step = step;
  }

  override openMessage(envelope: Envelope) {
    const message = super.openMessage(envelope);
    const isFaulty = envelope.recipients.some(({ forwardPath }) => forwardPath.localPart === 'eve');
    if (!isFaulty) return message;
    const fail = (): never => {
      throw new Error('disk full');
    };
    if (this.#step === 'openMessage') fail();
    return { ...message, [this.#step]: fail };
  }
}

function underTest(
  delivery: InMemoryDelivery,
  wrap: (delivery: InMemoryDelivery) => MessageDelivery,
): DeliveryUnderTest {
  const hasMessage = (recipient: Mailbox) =>
    delivery.messages.filter(({ envelope: { recipients } }) =>
      recipients.some(({ forwardPath }) => String(forwardPath) === String(recipient)),
    );
  return { delivery: wrap(delivery), stored: (recipient) => hasMessage(recipient).map(({ content }) => content) };
}

describe.each(wrappers)('the contract of deliveries: %s', (_name, wrap) => {
  const rules = messageDeliveryContract({
    make: () => underTest(new InMemoryDelivery(), wrap),
    recipients: [ann, bob, eve],
    faults: (['openMessage', 'write', 'end'] as const).map((step) => ({
      name: `an error in ${step}`,
      make: () => underTest(new FaultyDelivery(step), wrap),
    })),
    quota: { octets: QUOTA_OCTETS, make: () => underTest(new InMemoryDelivery({ maxOctets: QUOTA_OCTETS }), wrap) },
  });
  it.each(rules)('$name', async ({ run, skipped }) => {
    expect(skipped).toBeUndefined();
    await run();
  });
});

const QUOTA_OCTETS = 10_000;
