import { ANONYMOUS, type AvatarId } from '@postern/cred';
import { Mailbox, Rejection } from '@postern/esmtp';
import { type RelayOptions, relay } from '@postern/relay';
import { testMind } from '@postern/testing';
import { describe, expect, it } from 'vitest';

const NOWHERE: RelayOptions = { endpoint: { host: '127.0.0.1', port: 1 }, hostname: 'mx.example.com' };

/** Returns the reply to RCPT. There is no next server, so a callout is a 451. */
async function rcptReply(options: RelayOptions, avatarId: AvatarId): Promise<number | undefined> {
  await using factory = relay(options);
  const delivery = await factory(avatarId, testMind());
  await delivery.validateFrom(null, { smtpUtf8: false });
  try {
    await delivery.validateTo(new Mailbox('ann', 'example.com'), {});
    return undefined;
  } catch (error) {
    if (error instanceof Rejection) return error.reply.code;
    throw error;
  }
}

describe('a relay', () => {
  it('refuses anonymous clients', async () => {
    expect(await rcptReply(NOWHERE, ANONYMOUS)).toBe(550);
  });

  it.each<[string, RelayOptions, AvatarId]>([
    ['who has logged in', NOWHERE, 'joe'],
    ['guests, if told so', { ...NOWHERE, allowAnonymous: true }, ANONYMOUS],
    ['guests, to where messages are delivered', { ...NOWHERE, lmtp: true }, ANONYMOUS],
  ])('asks the next server about recipients of %s', async (_who, options, avatarId) => {
    expect(await rcptReply(options, avatarId)).toBe(451);
  });
});
