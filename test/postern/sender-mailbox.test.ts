import { ANONYMOUS, type AvatarId } from '@postern/cred';
import { Mailbox, type Message, NotifyingDelivery, type RcptParameters, Reply } from '@postern/esmtp';
import { testMind } from '@postern/testing';
import type { Config } from 'postern';
import { describe, expect, it } from 'vitest';
import { compose } from '../../packages/postern/src/compose.ts';
import { DeliveryTarget } from '../../packages/postern/src/delivery-target.ts';
import { silentLog } from '../../packages/postern/src/log.ts';
import { settingsOf } from '../../packages/postern/src/settings.ts';
import { RecordingDelivery } from '../esmtp/server.ts';

const CLOSED = new Reply(550, '5.2.1', 'Closed');

/**
 * Starts a server with local mailboxes. After the data, the second of two recipients fails for
 * good.
 */
async function server(config: Config, { isLocal = true } = {}) {
  const [store, remote] = [new RecordingDelivery(), new RecordingDelivery()];
  let ended = 0;
  store.onEnd = () => (ended++ === 0 ? [undefined, CLOSED] : undefined);
  const deliver = new DeliveryTarget(() => Object.assign(() => store, { isLocal }));
  const notify = new DeliveryTarget(() => () => remote);
  const settings = settingsOf({
    config: { ...config, deliver, ...('notify' in config && { notify }) },
    nameOf: (key) => key,
  });
  const context = { log: silentLog, print: async () => {} };
  const { factory, recipients } = await compose(settings, context);
  await recipients?.load();
  return { store, remote, factory };
}

/** Sends a message to two recipients and resolves to its text. */
async function send(
  { factory }: Awaited<ReturnType<typeof server>>,
  from: string,
  avatarId: AvatarId = 'joe',
  parameters: RcptParameters = {},
): Promise<Message> {
  const delivery = await factory(avatarId, testMind());
  const [localPart = '', domain = ''] = from.split('@');
  const recipients = ['ann', 'bob'].map((name) => ({ forwardPath: new Mailbox(name, 'example.com'), parameters }));
  for (const { forwardPath } of recipients) await delivery.validateTo(forwardPath, parameters);
  const envelope = {
    reversePath: new Mailbox(localPart, domain),
    parameters: { smtpUtf8: false },
    recipients,
    id: 'id1',
  };
  const message = await delivery.openMessage(envelope);
  await message.write(Buffer.from('Subject: hi\r\n\r\nhello\r\n'));
  await message.end();
  return message;
}

const LISTED: Config = {
  auth: ['memory:joe:s3cret'],
  hostname: 'mx.example.com',
  domains: ['example.com'],
  recipients: ['ann', 'bob', 'joe'],
};

describe('a notification', () => {
  it('goes into the mailbox of a local sender', async () => {
    const made = await server(LISTED);
    const message = await send(made, 'joe@example.com');
    expect(message.isNotified?.(1)).toBe(true);
    const [, notification] = made.store.delivered;
    expect(notification?.envelope).toMatchObject({
      reversePath: null,
      recipients: [{ forwardPath: { localPart: 'joe' } }],
    });
    expect(notification?.text).toContain('bob@example.com');
  });

  it('goes through `notify` for remote senders only', async () => {
    const made = await server({ ...LISTED, notify: 'discard' });
    expect((await send(made, 'joe@example.net')).isNotified?.(1)).toBe(true);
    expect(made.remote.delivered).toHaveLength(1);
    const other = await server({ ...LISTED, notify: 'discard' });
    expect((await send(other, 'joe@example.com')).isNotified?.(1)).toBe(true);
    expect(other.remote.delivered).toEqual([]);
  });

  it.each<readonly [string, Config, string, AvatarId]>([
    ['the sender lives elsewhere', LISTED, 'joe@example.net', 'joe'],
    ['nobody of this name lives here', LISTED, 'eve@example.com', 'joe'],
    ['the sender has not logged in', LISTED, 'joe@example.com', ANONYMOUS],
    ['nobody says who lives here', { ...LISTED, domains: '*', recipients: [] }, 'joe@example.com', 'joe'],
  ])('is not sent without `notify` if %s: the client gets the failure', async (_, config, from, avatarId) => {
    const { recipients, ...others } = config;
    const made = await server(recipients?.length === 0 ? others : config);
    const message = await send(made, from, avatarId);
    expect(message.isNotified?.(1) ?? false).toBe(false);
    expect(made.store.delivered).toHaveLength(1);
  });

  it('goes through `notify` only if no mail is stored here', async () => {
    const made = await server({ ...LISTED, notify: 'discard' }, { isLocal: false });
    expect((await send(made, 'joe@example.com')).isNotified?.(1)).toBe(true);
    expect([made.store.delivered.length, made.remote.delivered.length]).toEqual([1, 1]);
    expect(await made.factory('joe', testMind())).toBeInstanceOf(NotifyingDelivery);
  });
});
