import { AnonymousChecker } from '@postern/cred';
import {
  type Envelope,
  Mailbox,
  type MailParameters,
  type Message,
  MessageDelivery,
  type NextHop,
  NotifyingDelivery,
  OwnSenderDelivery,
  PerRecipientDelivery,
  type RcptParameters,
  type RecipientResult,
  Rejection,
  Reply,
} from '@postern/esmtp';
import { type FakeClock, portalFor, settle } from '@postern/testing';
import { describe, expect, it } from 'vitest';
import { type Delivered, GREETED, LOGIN, RecordingDelivery, Server } from '../server.ts';
import { envelopeFor, FULL, joe, SUCCESS, send, setUp, TEXT, told } from './notifying-support.ts';

const LATER = new Reply(450, '4.2.1', 'Later');

const NEVER: RcptParameters = { notify: 'NEVER' };

describe('NotifyingDelivery', () => {
  it('notifies the sender of the recipients that failed, if others have the message', async () => {
    const { delivery, through, errors } = setUp([undefined, FULL, new Reply(550, '5.2.1', 'Closed'), undefined]);
    expect(await send(delivery, envelopeFor([{}, {}, { notify: ['FAILURE', 'DELAY'] }, {}]))).toEqual([
      250, 552, 550, 250,
    ]);
    expect(through.calls).toEqual(['from', 'to', 'open', 'end']);
    const [notification] = through.delivered as [Delivered];
    expect(notification.envelope).toEqual({
      reversePath: null,
      parameters: { smtpUtf8: false, size: notification.text.length },
      recipients: [{ forwardPath: joe, parameters: { notify: 'NEVER' } }],
      id: expect.stringMatching(/^[\da-z]{16,}$/),
    });
    expect(told(notification)).toMatchObject({ to: '<joe@example.com>', actions: ['r1 failed', 'r2 failed'] });
    expect(told(notification).returned?.body).toBe('Subject: hi\r\n');
    expect(errors).toEqual([]);
  });

  it.each<[string, readonly RecipientResult[] | undefined, Envelope]>([
    ['all recipients have the message', undefined, envelopeFor([{}, {}])],
    ['none has it, which the client hears', [FULL, FULL], envelopeFor([{}, SUCCESS])],
    ['the only recipient has it not', [FULL], envelopeFor([SUCCESS])],
    ['the reverse-path is null', [FULL, undefined], { ...envelopeFor([{}, SUCCESS]), reversePath: null }],
    ['the sender never wants to be told', [FULL, undefined], envelopeFor([NEVER, NEVER])],
    ['the sender does not want to be told of failure', [FULL, undefined], envelopeFor([SUCCESS, {}])],
    ['the client sends again, since one failed for now', [FULL, LATER, undefined], envelopeFor([{}, {}, SUCCESS])],
    ['nobody was late', undefined, envelopeFor([{ notify: ['DELAY'] }, { notify: ['FAILURE'] }])],
  ])('is silent if %s', async (_, results, envelope) => {
    const { delivery, through } = setUp(results);
    await send(delivery, envelope);
    expect(through.calls).toEqual([]);
  });

  it('knows of whose failure the sender is told', async () => {
    const { delivery } = setUp([FULL, undefined, FULL]);
    const message = await delivery.openMessage(envelopeFor([{}, SUCCESS, NEVER]));
    expect(message.isNotified?.(0)).toBe(false);
    await message.end();
    expect([0, 1, 2].map((index) => message.isNotified?.(index))).toEqual([true, false, false]);
  });

  it('sends no notification that the sender does not want', async () => {
    const { delivery, through } = setUp([FULL, FULL, undefined]);
    await send(delivery, envelopeFor([NEVER, {}, {}]));
    expect(through.delivered.map(told)).toMatchObject([{ actions: ['r1 failed'] }]);
  });

  it('keeps nothing, and is not there at all, where there can be nothing to tell', async () => {
    const message: Message = { write() {}, end() {}, abort() {} };
    const { delivery, inner } = setUp(undefined);
    inner.openMessage = () => message;
    for (const recipients of [[{}], [NEVER], [NEVER, NEVER], [{ notify: ['FAILURE'] }] as const]) {
      expect(delivery.openMessage(envelopeFor(recipients))).toBe(message);
    }
    expect(delivery.openMessage({ ...envelopeFor([SUCCESS, {}]), reversePath: null })).toBe(message);
    expect(delivery.openMessage(envelopeFor([{}, {}]))).not.toBe(message);
  });

  it('sends a notification of success on request, and of failure by default', async () => {
    const { delivery, through } = setUp([undefined, FULL, new Reply(250, '2.1.5', 'Kept'), undefined]);
    await send(delivery, envelopeFor([SUCCESS, {}, SUCCESS, {}], { ret: 'FULL' }));
    expect(through.delivered.map(told)).toMatchObject([
      { actions: ['r1 failed'], returned: { body: TEXT } },
      { actions: ['r0 delivered', 'r2 delivered'], returned: { body: 'Subject: hi\r\n' } },
    ]);
  });

  it('leaves telling of success to a next server that does it', async () => {
    const { delivery, inner, through } = setUp(undefined);
    const host = 'next.example.net';
    const reply = new Reply(250, '2.6.0', 'Queued');
    const nextServers: readonly (NextHop | undefined)[] = [
      { host, success: undefined, reply },
      { host, success: 'relayed', reply },
      { host, success: 'delivered', reply },
      undefined,
    ];
    inner.openMessage = () => ({ nextHop: (at) => nextServers[at], write() {}, end() {}, abort() {} });
    await send(delivery, envelopeFor([SUCCESS, SUCCESS, SUCCESS, SUCCESS]));
    const [{ actions, recipients }] = through.delivered.map(told) as [ReturnType<typeof told>];
    expect(actions).toEqual(['r1 relayed', 'r2 delivered', 'r3 delivered']);
    expect(recipients.map((group) => [group.get('remote-mta'), group.get('diagnostic-code')])).toEqual([
      ['dns; next.example.net', 'smtp; 250 2.6.0 Queued'],
      ['dns; next.example.net', 'smtp; 250 2.6.0 Queued'],
      [undefined, undefined],
    ]);
  });

  it('says which server refused, if one did', async () => {
    const { delivery, inner, through } = setUp(undefined);
    const nextHop = (at: number): NextHop => ({
      host: 'next.example.net',
      success: 'relayed',
      reply: at === 0 ? FULL : undefined,
    });
    const broke = new Reply(554, '5.4.2', 'Broken');
    inner.openMessage = () => ({ nextHop, write() {}, end: () => [FULL, broke, undefined], abort() {} });
    await send(delivery, envelopeFor([{}, {}, {}]));
    const [{ recipients }] = through.delivered.map(told) as [ReturnType<typeof told>];
    expect(recipients.map((group) => group.get('remote-mta'))).toEqual(['dns; next.example.net', undefined]);
  });

  it('is told of each recipient where each has a delivery of its own', async () => {
    const through = new RecordingDelivery();
    const ends = (result: RecipientResult, nextHop?: NextHop): MessageDelivery => {
      const delivery = new RecordingDelivery();
      delivery.openMessage = () => ({ nextHop: () => nextHop, write() {}, end: () => [result], abort() {} });
      return delivery;
    };
    const next: NextHop = { host: 'next.example.net', success: 'relayed', reply: undefined };
    const notifying = (delivery: MessageDelivery) =>
      new NotifyingDelivery(delivery, { through, hostname: 'mx.example.com' });
    const routes = [
      notifying(ends(undefined)),
      ends(FULL),
      ends(undefined, next),
      ends(undefined, { ...next, success: undefined }),
    ];
    const perRecipient = new PerRecipientDelivery(({ localPart }) => routes[Number(localPart[1])] as MessageDelivery);
    await send(notifying(perRecipient), envelopeFor([SUCCESS, {}, SUCCESS, SUCCESS]));
    // The delivery of the first recipient sends its own notification.
    expect(through.delivered.map((one) => told(one).actions)).toEqual([
      ['r0 delivered'],
      ['r1 failed'],
      ['r2 relayed'],
    ]);
  });

  it('sends one notification if two deliveries are nested', async () => {
    const { delivery, through } = setUp([FULL, undefined]);
    const other = new RecordingDelivery();
    const owned = new OwnSenderDelivery(delivery, { avatarId: 'joe@example.com' });
    await send(
      new NotifyingDelivery(owned, { through: other, hostname: 'mx.example.com' }),
      envelopeFor([{}, SUCCESS]),
    );
    expect(through.delivered.map((one) => told(one).actions)).toEqual([['r0 failed'], ['r1 delivered']]);
    expect(other.calls).toEqual([]);
  });

  it.each<[string, Partial<MailParameters>, string, string | undefined]>([
    ['the header without a word', {}, TEXT, 'Subject: hi\r\n'],
    ['the header for RET=HDRS', { ret: 'HDRS' }, TEXT, 'Subject: hi\r\n'],
    ['all for RET=FULL', { ret: 'FULL' }, TEXT, TEXT],
    ['the header of what is too large', { ret: 'FULL' }, `${TEXT}${'x'.repeat(40)}`, 'Subject: hi\r\n'],
    ['the header with REQUIRETLS', { ret: 'FULL', requireTls: true }, TEXT, 'Subject: hi\r\n'],
    ['the header of BINARYMIME', { ret: 'FULL', body: 'BINARYMIME' }, TEXT, 'Subject: hi\r\n'],
  ])('returns %s', async (_, parameters, text, returned) => {
    const { delivery, through } = setUp([FULL, undefined], { returned: 50 });
    await send(delivery, envelopeFor([{}, {}], parameters), text);
    const [notification] = through.delivered as [Delivered];
    expect(told(notification).returned?.body).toBe(returned);
    expect(notification.envelope.parameters.requireTls).toBe(parameters.requireTls);
  });

  it('says what the notification needs: 8BITMIME, SMTPUTF8', async () => {
    const { delivery, through } = setUp([FULL, undefined]);
    await send(delivery, envelopeFor([{}, {}], { ret: 'FULL' }), `${TEXT}gr\xfc\xdfe\r\n`);
    await send(delivery, {
      ...envelopeFor([{}, {}], { smtpUtf8: true }),
      reversePath: new Mailbox('zo\u00eb', 'a.example'),
    });
    expect(through.delivered.map(({ envelope }) => envelope.parameters)).toMatchObject([
      { smtpUtf8: false, body: '8BITMIME' },
      { smtpUtf8: true, body: '8BITMIME' },
    ]);
  });

  it('gives the memory of a message back as the message itself does', async () => {
    const { delivery, inner } = setUp(undefined);
    for (const keepsChunks of [true, false, undefined]) {
      const message: Message = { write() {}, end() {}, abort() {} };
      inner.openMessage = () => (keepsChunks === undefined ? message : { ...message, keepsChunks });
      expect((await delivery.openMessage(envelopeFor([{}, {}]))).keepsChunks).toBe(keepsChunks ?? true);
    }
  });

  it.each([true, null, 'kept'])('rejects if the message returns %j in place of results', async (end) => {
    const { delivery, inner, through } = setUp(undefined);
    inner.onEnd = () => end as never;
    const message = await delivery.openMessage(envelopeFor([SUCCESS]));
    await expect(async () => await message.end()).rejects.toThrow(TypeError);
    expect(through.calls).toEqual([]);
  });

  it('reports a failure, and no success, if nextHop throws', async () => {
    const { delivery, inner, through, errors } = setUp(undefined);
    const broken = new Error('broken');
    const nextHop = (): never => {
      throw broken;
    };
    inner.openMessage = () => ({ nextHop, write() {}, end: () => [FULL, undefined], abort() {} });
    expect(await send(delivery, envelopeFor([{}, SUCCESS]))).toEqual([552, 250]);
    expect(through.delivered.map((one) => told(one).actions)).toEqual([['r0 failed']]);
    expect(errors).toEqual([
      [broken, 'id1'],
      [broken, 'id1'],
    ]);
  });

  it('passes a failure of the message on, and an abort', async () => {
    const { delivery, inner, through } = setUp(undefined);
    const failure = new Error('disk full');
    inner.onEnd = () => Promise.reject(failure);
    await expect(send(delivery, envelopeFor([SUCCESS]))).rejects.toBe(failure);
    await (await delivery.openMessage(envelopeFor([SUCCESS]))).abort(failure);
    expect(inner.calls).toEqual(['open', 'end', 'open', 'abort']);
    expect(through.calls).toEqual([]);
  });
});

describe('a server with notifications', () => {
  const TWO = `
    C: MAIL FROM:<ann@example.com> RET=FULL ENVID=QQ314
    S: 250...
    C: RCPT TO:<bob@example.com> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;Bob@example.com
    S: 250...
    C: RCPT TO:<eve@example.com>
    S: 250...
    C: DATA
    S: 354...
    C: Subject: hi
    C: 
    C: hello
    C: .`;

  function serverOf(delivery: MessageDelivery, clock: FakeClock, service?: 'lmtp'): Server {
    const portal = portalFor({ ann: 'secret' }, MessageDelivery, () => delivery);
    portal.register(new AnonymousChecker());
    return new Server({ portal, clock, ...(service && { service }) });
  }

  it('says 250 when the notification is safe', async () => {
    const { delivery, through, clock } = setUp([undefined, FULL]);
    const order: string[] = [];
    through.onEnd = async () => {
      await settle();
      order.push('notified');
    };
    const server = serverOf(delivery, clock);
    const dialogue = await server.play(`${GREETED}${LOGIN}${TWO}
      S: 250 2.0.0 OK <any>
      C: NOOP
      S: 250...`);
    expect(dialogue).toMatch(/250 2\.0\.0 OK/);
    expect(order).toEqual(['notified', 'notified']);
    const [failure, success] = through.delivered.map(told);
    expect(failure).toMatchObject({ to: '<ann@example.com>', actions: ['ev failed'] });
    expect(failure?.returned?.body).toMatch(/^Received: .*\r\nSubject: hi\r\n\r\nhello\r\n$/s);
    expect(success?.actions).toEqual(['bo delivered']);
    expect(success?.recipients[0]?.get('original-recipient')).toBe('rfc822;Bob@example.com');
    expect(server.events.find(({ kind }) => kind === 'message-accepted')).toMatchObject({
      failed: [{ recipient: 'eve@example.com' }],
    });
  });

  it('says who has the message and who has not where the notification cannot be sent', async () => {
    const { delivery, through, clock } = setUp([undefined, FULL]);
    through.onTo = () => Promise.reject(new Rejection(550, '5.1.1', 'No such user'));
    const server = serverOf(delivery, clock);
    await server.play(`${GREETED}${LOGIN}${TWO}
      S: 552-5.2.2 Mailbox full
      S: 552-5.2.2 Not delivered to <eve@example.com>
      S: 552 5.2.2 Delivered to <bob@example.com>
      C: NOOP
      S: 250...`);
    expect(server.events.find(({ kind }) => kind === 'message-refused')).toMatchObject({
      failed: [{ recipient: 'eve@example.com', reply: FULL }],
    });
  });

  it('does not let a slow way of notifications turn the 552 into a 451', async () => {
    const { delivery, inner, through, clock, errors } = setUp(undefined);
    through.onOpen = () => new Promise<never>(() => {});
    const began = Promise.withResolvers<void>();
    const ends = Promise.withResolvers<readonly RecipientResult[]>();
    inner.onEnd = () => {
      began.resolve();
      return ends.promise;
    };
    const played = serverOf(delivery, clock).play(`${GREETED}${LOGIN}${TWO}
      S: 552...`);
    await began.promise;
    await clock.advance(605_000);
    ends.resolve([undefined, FULL]);
    await clock.advance(12_000);
    await played;
    expect(errors).toHaveLength(2);
  });

  it('reports only success in LMTP, where the client gets each failure', async () => {
    const { delivery, through, clock } = setUp([undefined, FULL]);
    await serverOf(delivery, clock, 'lmtp').play(`
      S: 220...
      C: LHLO mta.example.com
      S: 250...${TWO}
      S: 250 2.0.0 <bob@example.com> OK <any>
      S: 552 5.2.2 Mailbox full`);
    expect(through.delivered.map((one) => told(one).actions)).toEqual([['bo delivered']]);
  });
});
