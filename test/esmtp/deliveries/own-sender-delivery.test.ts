import { ANONYMOUS, type AvatarId } from '@postern/cred';
import {
  Mailbox,
  MessageDelivery,
  OwnSenderDelivery,
  type OwnSenderDeliveryOptions,
  parseMailbox,
  type ReceivedTrace,
  Rejection,
} from '@postern/esmtp';
import { portalFor } from '@postern/testing';
import { describe, expect, it } from 'vitest';
import { GREETED, LOGIN, RecordingDelivery, Server } from '../server.ts';

async function allows(options: OwnSenderDeliveryOptions, sender: string | null): Promise<boolean> {
  const inner = new RecordingDelivery();
  const delivery = new OwnSenderDelivery(inner, options);
  try {
    await delivery.validateFrom(sender === null ? null : (parseMailbox(sender) ?? new Mailbox(sender, '')), {
      smtpUtf8: false,
    });
    expect(inner.calls).toEqual(['from']);
    return true;
  } catch (error) {
    expect(inner.calls).toEqual([]);
    expect(error).toBeInstanceOf(Rejection);
    expect(error).toMatchObject({ reply: { code: 553, enhanced: '5.7.1' } });
    return false;
  }
}

describe('OwnSenderDelivery', () => {
  const addresses = new Map<AvatarId, readonly string[]>([
    ['ann', ['ann@example.com', '"ann b"@example.com', '@ann.example']],
    [ANONYMOUS, ['guest@example.com']],
  ]);

  it.each<[AvatarId, string, boolean]>([
    ['ann', 'ann@example.com', true],
    ['ann', 'ann@EXAMPLE.com', true],
    ['ann', '"ann"@example.com', true],
    ['ann', '"ann b"@example.com', true],
    ['ann', 'anybody@Ann.Example', true],
    ['ann', 'Ann@example.com', true],
    ['ann', 'ann+list@example.com', true],
    ['ann', 'ANN+List@example.com', true],
    ['ann', '"Ann B"@example.com', true],
    ['ann', 'annie@example.com', false],
    ['ann', '+ann@example.com', false],
    ['ann', 'ann-list@example.com', false],
    ['ann', 'ann@example.org', false],
    ['ann', 'ann@sub.ann.example', false],
    ['ann', 'guest@example.com', false],
    // The Kelvin sign is no k.
    ['ann', 'ann@e\u212aample.com', false],
    ['bob', 'ann@example.com', false],
    [ANONYMOUS, 'guest@example.com', true],
  ])('lets %s send as %s: %s', async (avatarId, sender, allowed) => {
    expect(await allows({ avatarId, addresses }, sender)).toBe(allowed);
    expect(await allows({ avatarId, addresses: async (id) => addresses.get(id) }, sender)).toBe(allowed);
  });

  it('knows tags by the delimiter that it is told, or none', async () => {
    expect(await allows({ avatarId: 'ann', addresses, recipientDelimiter: '-' }, 'ann-list@example.com')).toBe(true);
    expect(await allows({ avatarId: 'ann', addresses, recipientDelimiter: '' }, 'ann+list@example.com')).toBe(false);
  });

  it('has an address with a tag for that address only', async () => {
    const tagged = { avatarId: 'c', addresses: () => ['c++@example.com'] };
    expect(await allows(tagged, 'C++@example.com')).toBe(true);
    expect(await allows(tagged, 'c@example.com')).toBe(false);
    expect(await allows(tagged, 'c+x@example.com')).toBe(false);
  });

  it('takes the avatar id for the address unless it is told otherwise', async () => {
    expect(await allows({ avatarId: 'ann@example.com' }, 'ann@example.com')).toBe(true);
    expect(await allows({ avatarId: 'ann@example.com' }, 'bob@example.com')).toBe(false);
    expect(await allows({ avatarId: 'ann' }, 'ann@example.com')).toBe(false);
    expect(await allows({ avatarId: ANONYMOUS }, 'ann@example.com')).toBe(false);
  });

  it('accepts the null reverse-path, unless nullReversePath is false', async () => {
    expect(await allows({ avatarId: 'bob' }, null)).toBe(true);
    expect(await allows({ avatarId: 'ann', addresses, nullReversePath: false }, null)).toBe(false);
  });

  it('throws for an invalid address in the list', async () => {
    const delivery = new OwnSenderDelivery(new RecordingDelivery(), { avatarId: 'ann', addresses: () => ['ann'] });
    const ann = new Mailbox('ann', 'example.com');
    expect(() => delivery.validateFrom(ann, { smtpUtf8: false })).toThrow(TypeError);
  });

  it('refuses at MAIL, forwards every other call, and disposes of its delivery', async () => {
    const delivery = new RecordingDelivery();
    const portal = portalFor({ ann: 'secret' }, MessageDelivery, (avatarId) => {
      return new OwnSenderDelivery(delivery, { avatarId, addresses });
    });
    const server = new Server({ portal });
    await server.play(`${GREETED}${LOGIN}
      C: MAIL FROM:<bob@example.com>
      S: 553 5.7.1 This sender address is not yours
      C: RCPT TO:<bob@example.com>
      S: 503...
      C: MAIL FROM:<ann@example.com>
      S: 250...
      C: RCPT TO:<bob@example.com>
      S: 250...
      C: DATA
      S: 354...
      C: hello
      C: .
      S: 250...
      C: QUIT
      S: 221...`);
    expect(delivery.calls).toEqual(['from', 'to', 'open', 'end', 'logout']);
    expect(delivery.delivered[0]?.text).toMatch(/^Received: .*hello\r\n$/s);
  });

  it('forwards receivedHeader if the delivery has one', () => {
    const delivery = new RecordingDelivery();
    expect('receivedHeader' in new OwnSenderDelivery(delivery, { avatarId: 'ann' })).toBe(false);
    Object.assign(delivery, { receivedHeader: ({ hostname }: ReceivedTrace) => `X-By: ${hostname}` });
    const trace = { hostname: 'mx.example.com' } as ReceivedTrace;
    expect(new OwnSenderDelivery(delivery, { avatarId: 'ann' }).receivedHeader?.(trace)).toBe('X-By: mx.example.com');
  });
});

it('refuses an object literal in place of a delivery', () => {
  const literal = { validateFrom() {}, validateTo() {}, openMessage() {} };
  expect(() => new OwnSenderDelivery(literal as never, { avatarId: 'ann', addresses: () => [] })).toThrow(
    new TypeError('delivery: expected an object of a class that extends MessageDelivery, not an object literal'),
  );
});
