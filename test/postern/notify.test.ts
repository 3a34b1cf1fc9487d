import { AnonymousChecker, AvatarRealm, Portal } from '@postern/cred';
import {
  type EsmtpOptions,
  esmtp,
  Mailbox,
  MessageDelivery,
  type RcptParameters,
  type Recipient,
  Rejection,
  Reply,
} from '@postern/esmtp';
import { connectSmtp } from '@postern/esmtp/client';
import { connect, type Listener, listen } from '@postern/node';
import { passwordResponders } from '@postern/sasl/client';
import { describe, expect, it } from 'vitest';
import { parseNotification, statusGroups } from '../esmtp/notifications/parse.ts';
import { RecordingDelivery } from '../esmtp/server.ts';
import { startInProcess } from '../support/in-process.ts';
import { words } from '../support/program.ts';

/** Starts a server that accepts all mail into this delivery. */
function serverInto(delivery: MessageDelivery, options: Partial<EsmtpOptions>): Promise<Listener> {
  const realm = new AvatarRealm().provide(MessageDelivery, () => delivery);
  const portal = new Portal(realm).register(new AnonymousChecker());
  const protocol = esmtp({ hostname: 'next.example.com', portal, ...options });
  return listen({ endpoint: { host: '127.0.0.1', port: 0 }, protocol });
}

/** Sends a message as joe and resolves to the reply. */
function send(url: URL | undefined, ...recipients: readonly [string, RcptParameters][]): Promise<Reply | undefined> {
  return sendAs('joe', url, ...recipients);
}

/** Sends a message as the user, or without a login. */
async function sendAs(
  user: 'joe' | undefined,
  url: URL | undefined,
  ...recipients: readonly [string, RcptParameters][]
): Promise<Reply | undefined> {
  const transport = await connect({ endpoint: { host: '127.0.0.1', port: Number(url?.port) } });
  const responders = user && passwordResponders({ username: user, password: 'mine' });
  await using client = await connectSmtp(transport, {
    hostname: 'client.example.com',
    ...(responders && { responders }),
  });
  const to = recipients.map(([name, parameters]): Recipient => {
    return { forwardPath: new Mailbox(name, 'example.org'), parameters };
  });
  const from = new Mailbox('joe', 'example.com');
  const [reply] = await client.send({ from, to }, [Buffer.from('Subject: hi\r\n\r\nhello\r\n')]);
  return reply;
}

describe('postern serve --notify', () => {
  it('notifies the sender of recipients that a mail store refused after the data', async () => {
    const [store, back] = [new RecordingDelivery(), new RecordingDelivery()];
    store.onEnd = () => [undefined, new Reply(552, '5.2.2', 'Mailbox full')];
    await using next = await serverInto(store, { service: 'lmtp', disabledExtensions: ['DSN'] });
    await using notified = await serverInto(back, { service: 'mx' });
    await using postern = await startInProcess(
      ...words`--listen smtp://127.0.0.1:0 --auth memory:joe:mine --hostname mx.example.com --log silent`,
      ...words`--deliver lmtp:127.0.0.1:${String(next.address.port)} --notify smtp:127.0.0.1:${String(notified.address.port)}`,
    );
    expect(await send(postern.urls[0], ['ann', { notify: ['SUCCESS'] }], ['eve', {}])).toMatchObject({ code: 250 });

    expect(
      back.delivered.map(({ envelope }) => [envelope.reversePath, String(envelope.recipients[0]?.forwardPath)]),
    ).toEqual([
      [null, 'joe@example.com'],
      [null, 'joe@example.com'],
    ]);
    const told = back.delivered.map(({ text }) => {
      // The accepting server puts its own Received field first.
      const { parts, fields } = parseNotification(text);
      const [message, recipient] = statusGroups(parts[1]?.body ?? '');
      expect(fields.get('from')).toBe('Mail Delivery System <postmaster@mx.example.com>');
      expect(message?.get('reporting-mta')).toBe('dns; mx.example.com');
      expect(parts[2]?.body).toMatch(/^Received: [\s\S]*\r\nSubject: hi\r\n/);
      return Object.fromEntries(recipient ?? []);
    });
    expect(told).toMatchObject([
      {
        'final-recipient': 'rfc822;eve@example.org',
        action: 'failed',
        status: '5.2.2',
        'remote-mta': 'dns; [127.0.0.1]',
        'diagnostic-code': 'smtp; 552 5.2.2 Mailbox full',
      },
      { 'final-recipient': 'rfc822;ann@example.org', action: 'delivered', status: '2.0.0' },
    ]);
  });

  it('notifies an unauthenticated sender of failures only, without content of the message', async () => {
    const [store, back] = [new RecordingDelivery(), new RecordingDelivery()];
    store.onEnd = () => [undefined, new Reply(552, '5.2.2', 'Mailbox full')];
    await using next = await serverInto(store, { service: 'lmtp', disabledExtensions: ['DSN'] });
    await using notified = await serverInto(back, { service: 'mx' });
    await using postern = await startInProcess(
      ...words`--listen smtp://127.0.0.1:0?service=mx --log silent --domains example.org`,
      ...words`--deliver lmtp:127.0.0.1:${String(next.address.port)} --notify smtp:127.0.0.1:${String(notified.address.port)}`,
    );
    const recipients: [string, RcptParameters][] = [
      ['ann', { notify: ['SUCCESS'] }],
      ['eve', { notify: ['SUCCESS', 'FAILURE'] }],
    ];
    expect(await sendAs(undefined, postern.urls[0], ...recipients)).toMatchObject({ code: 250 });

    expect(back.delivered).toHaveLength(1);
    const { parts } = parseNotification(back.delivered[0]?.text ?? '');
    expect(parts.map(({ fields }) => fields.get('content-type')?.split(';')[0])).toEqual([
      'text/plain',
      'message/delivery-status',
    ]);
    expect(back.delivered[0]?.text).not.toContain('Subject: hi');
  });

  it('logs an unsent notification and names to the client the recipients that have the message', async () => {
    const [store, back] = [new RecordingDelivery(), new RecordingDelivery()];
    store.onEnd = () => [undefined, new Reply(552, '5.2.2', 'Mailbox full')];
    back.onTo = () => {
      throw new Rejection(550, '5.1.1', 'No such user');
    };
    await using next = await serverInto(store, { service: 'lmtp' });
    await using notified = await serverInto(back, { service: 'mx' });
    await using postern = await startInProcess(
      ...words`--listen smtp://127.0.0.1:0 --auth memory:joe:mine --deliver lmtp:127.0.0.1:${String(next.address.port)}`,
      ...words`--notify smtp:127.0.0.1:${String(notified.address.port)}`,
    );
    expect(await send(postern.urls[0], ['ann', {}], ['eve', {}])).toMatchObject({
      code: 552,
      lines: ['Mailbox full', 'Not delivered to <eve@example.org>', 'Delivered to <ann@example.org>'],
    });
    await postern.said(
      /error a notification could not be sent id=\w+ culprit=operator error="550 5\.1\.1 No such user"\n/,
    );
  });
});
