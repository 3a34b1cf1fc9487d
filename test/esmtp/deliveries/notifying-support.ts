import {
  type EndResult,
  type Envelope,
  Mailbox,
  type MailParameters,
  type MessageDelivery,
  NotifyingDelivery,
  type NotifyingDeliveryOptions,
  type RcptParameters,
  type RecipientResult,
  Reply,
} from '@postern/esmtp';
import { FakeClock } from '@postern/testing';
import { resultsOf } from '../../support/results.ts';
import { parseNotification, statusGroups } from '../notifications/parse.ts';
import { type Delivered, RecordingDelivery } from '../server.ts';

export const joe = new Mailbox('joe', 'example.com');

export const FULL = new Reply(552, '5.2.2', 'Mailbox full');

export const TEXT = 'Subject: hi\r\n\r\nhello\r\n';

export const SUCCESS: RcptParameters = { notify: ['SUCCESS'] };

/** An envelope of joe's for recipients r0, r1, … with these parameters. */
export function envelopeFor(recipients: readonly RcptParameters[], parameters: Partial<MailParameters> = {}): Envelope {
  return {
    reversePath: joe,
    parameters: { smtpUtf8: false, ...parameters },
    recipients: recipients.map((given, at) => ({
      forwardPath: new Mailbox(`r${at}`, 'example.org'),
      parameters: given,
    })),
    id: 'id1',
  };
}

/**
 * A NotifyingDelivery around a delivery with these results, the delivery of its notifications, and
 * its errors.
 */
export function setUp(
  results: readonly RecipientResult[] | undefined,
  options: Partial<NotifyingDeliveryOptions> = {},
) {
  const [inner, through] = [new RecordingDelivery(), new RecordingDelivery()];
  const clock = new FakeClock();
  const errors: [error: unknown, id: string][] = [];
  inner.onEnd = () => results;
  const delivery = new NotifyingDelivery(inner, {
    through,
    hostname: 'mx.example.com',
    onError: (error, { id }) => errors.push([error, id]),
    clock,
    ...options,
  });
  return { inner, through, clock, errors, delivery };
}

/** Sends a message. Resolves to the codes of its results. */
export async function send(delivery: MessageDelivery, envelope: Envelope, text = TEXT): Promise<readonly number[]> {
  const message = await delivery.openMessage(envelope);
  await message.write(Buffer.from(text, 'latin1'));
  return codes(await message.end());
}

export function codes(ended: EndResult): readonly number[] {
  return resultsOf(ended).map((reply) => reply?.code ?? 250);
}

/** Parses a notification: its recipients, their actions, and the returned content. */
export function told({ text }: Delivered) {
  const { parts, fields } = parseNotification(text);
  const [, ...recipients] = statusGroups(parts[1]?.body ?? '');
  return {
    to: fields.get('to'),
    actions: recipients.map((group) => `${group.get('final-recipient')?.slice(7, 9)} ${group.get('action')}`),
    recipients,
    returned: parts[2],
  };
}
