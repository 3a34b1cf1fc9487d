import {
  type ForwardPath,
  KnownRecipientsDelivery,
  type KnownRecipientsDeliveryOptions,
  LocalRecipients,
  type LocalRecipientsOptions,
  Mailbox,
  MessageDelivery,
  type Recipient,
  type RecipientResolver,
  Rejection,
  Reply,
} from '@postern/esmtp';
import { portalFor } from '@postern/testing';
import { describe, expect, it } from 'vitest';
import { resultsOf } from '../../support/results.ts';
import { RecordingDelivery, Server } from '../server.ts';

const GREETED = `
S: 220 mx.example.com ESMTP
C: EHLO client.example.org
S: 250...`;
const MESSAGE = `
C: DATA
S: 354...
C: hello
C: .`;
const MAIL = `
C: MAIL FROM:<eve@example.net>
S: 250...`;

describe('an MX that knows its recipients', () => {
  it('refuses unknown ones at RCPT, and takes the others', async () => {
    const { server, delivery } = mx({ mailboxes: ['ann@example.com', 'bob@example.com'] });
    await server.play(`${GREETED}${MAIL}
      C: RCPT TO:<joe@example.com>
      S: 550 5.1.1 No such mailbox here
      C: RCPT TO:<ann@example.org>
      S: 550 5.7.1 Relaying denied
      C: DATA
      S: 503...
      C: RCPT TO:<Ann+list@EXAMPLE.com>
      S: 250...
      C: RCPT TO:<postmaster@example.com>
      S: 250...${MESSAGE}
      S: 250...`);
    expect(recipientsOf(delivery)).toEqual(['Ann+list@EXAMPLE.com', 'postmaster@example.com']);
  });

  it('gives 451 for a lookup that fails, and for a resolver without a result, and reports the error', async () => {
    const database = new Error('the database is away');
    const { server } = mx({ lookup: () => Promise.reject(database) });
    await server.play(`${GREETED}${MAIL}
      C: RCPT TO:<ann@example.com>
      S: 451 4.3.0...`);
    expect(server.events).toContainEqual(expect.objectContaining({ kind: 'error', cause: database }));
    for (const wrong of [undefined, null, true, []]) {
      const resolver = { resolve: () => wrong } as unknown as RecipientResolver;
      await mx(resolver).server.play(`${GREETED}${MAIL}\nC: RCPT TO:<ann@example.com>\nS: 451 4.3.0...`);
    }
  });

  it('passes on what the delivery itself refuses', async () => {
    const { server, delivery } = mx({ mailboxes: ['ann@example.com'], aliases: [['sales', ['ann']]] });
    delivery.onTo = () => {
      throw new Rejection(452, '4.2.2', 'The mailbox is full');
    };
    await server.play(`${GREETED}${MAIL}
      C: RCPT TO:<ann@example.com>
      S: 452 4.2.2...
      C: RCPT TO:<sales@example.com>
      S: 452 4.2.2...`);
  });

  it.each(['joe%example.net', 'ann+x%example.net', 'example.net!joe', '"joe@example.net"', '"joe%example.net"'])(
    'refuses a route through a next server: %s',
    async (localPart) => {
      const { server, delivery } = mx({ domains: ['example.com'] }, { allowRoutes: false });
      await server.play(`${GREETED}${MAIL}
        C: RCPT TO:<${localPart}@example.com>
        S: 550 5.7.1 Relaying denied
        C: RCPT TO:<ann+x@example.com>
        S: 250...${MESSAGE}
        S: 250...`);
      expect(recipientsOf(delivery)).toEqual(['ann+x@example.com']);
      await mx({ domains: ['example.com'] }).server.play(`${GREETED}${MAIL}
        C: RCPT TO:<${localPart}@example.com>
        S: 250...`);
    },
  );

  it('lets a user send on where that is allowed', async () => {
    const { server, delivery } = mx({ mailboxes: ['ann@example.com'] }, { allowForeign: true });
    await server.play(`${GREETED}${MAIL}
      C: RCPT TO:<joe@example.com>
      S: 550 5.1.1...
      C: RCPT TO:<ann@example.org>
      S: 250...${MESSAGE}
      S: 250...`);
    expect(recipientsOf(delivery)).toEqual(['ann@example.org']);
  });
});

describe('an alias', () => {
  const options = {
    mailboxes: ['ann@example.com', 'bob@example.com'],
    aliases: [
      ['sales', ['ann', 'bob']],
      ['info', ['ann']],
    ] as const,
  };

  it('becomes the mailboxes that it leads to, each once, which keep the address that the client named', async () => {
    const { server, delivery } = mx(options);
    await server.play(`${GREETED}${MAIL}
      C: RCPT TO:<Sales+x@example.com> NOTIFY=FAILURE
      S: 250...
      C: RCPT TO:<info@example.com> ORCPT=rfc822;first@example.org
      S: 250...
      C: RCPT TO:<Bob@example.com>
      S: 250...${MESSAGE}
      S: 250...`);
    const sales = new Mailbox('Sales+x', 'example.com');
    const parameters = { notify: ['FAILURE'], orcpt: 'rfc822;Sales+2Bx@example.com' };
    expect(delivery.delivered[0]?.envelope.recipients).toEqual([
      { forwardPath: new Mailbox('ann', 'example.com'), parameters, originalPath: sales },
      { forwardPath: new Mailbox('bob', 'example.com'), parameters, originalPath: sales },
    ]);
  });

  it('keeps an original recipient that came with the message', async () => {
    const { server, delivery } = mx(options);
    await server.play(`${GREETED}${MAIL}
      C: RCPT TO:<info@example.com> ORCPT=rfc822;first@example.org
      S: 250...${MESSAGE}
      S: 250...`);
    expect(delivery.delivered[0]?.envelope.recipients[0]?.parameters.orcpt).toBe('rfc822;first@example.org');
  });

  it('in UTF-8 has an original recipient in UTF-8', async () => {
    const { server, delivery } = mx({ ...options, aliases: [['büro', ['ann']]] });
    await server.play(`${GREETED}
      C: MAIL FROM:<eve@example.net> SMTPUTF8
      S: 250...
      C: RCPT TO:<büro@example.com>
      S: 250...${MESSAGE}
      S: 250...`);
    expect(delivery.delivered[0]?.envelope.recipients[0]?.parameters.orcpt).toBe('utf-8;büro@example.com');
  });

  it.each([
    [
      [undefined, undefined],
      ['sales', undefined],
      ['info', undefined],
    ],
    [
      [undefined, 452],
      ['sales', 452],
      ['info', undefined],
    ],
    [
      [550, 452],
      ['sales', 452],
      ['info', 550],
    ],
    [
      [550, undefined],
      ['sales', 550],
      ['info', 550],
    ],
  ])('has the results of its mailboxes: %j', async (results, [, sales], [, info]) => {
    const { delivery, known } = mx(options);
    const replies = results.map((code) =>
      code === undefined ? undefined : new Reply(Number(code), `${String(code).charAt(0)}.0.0`, 'no'),
    );
    const told: [number, number | undefined][] = [];
    delivery.onEnd = (tell) => {
      for (const [index, reply] of replies.entries()) tell?.(index, reply);
      tell?.(0, replies[0]);
      return replies;
    };
    const recipients = ['sales', 'info'].map((name) => recipient(`${name}`));
    for (const { forwardPath, parameters } of recipients) await known.validateTo(forwardPath, parameters);
    const message = await known.openMessage(envelopeFor(recipients));
    const ended = await message.end((index, reply) => told.push([index, reply?.code]));
    expect(resultsOf(ended).map((reply) => reply?.code)).toEqual([sales, info]);
    expect(told.toSorted(([one], [other]) => one - other)).toEqual([
      [0, sales],
      [1, info],
    ]);
  });

  it('has one reply at LMTP', async () => {
    const delivery = new RecordingDelivery();
    const resolver = new LocalRecipients({ hostname: 'mx.example.com', ...options });
    const portal = portalFor({}, MessageDelivery, () => new KnownRecipientsDelivery(delivery, resolver));
    delivery.onEnd = () => [undefined, new Reply(452, '4.2.2', 'Mailbox full')];
    await new Server({ service: 'lmtp', allowAnonymous: true, portal }).play(`
      S: 220 mx.example.com LMTP
      C: LHLO client.example.org
      S: 250...${MAIL}
      C: RCPT TO:<sales@example.com>
      S: 250...
      C: RCPT TO:<info@example.com>
      S: 250...${MESSAGE}
      S: 452 4.2.2 Mailbox full
      S: 250 2.0.0 <info@example.com> OK...`);
  });

  it('expands to a bounded number of recipients, however often it is named', async () => {
    const mailboxes = Array.from({ length: 300 }, (_, n) => `m${n}@example.com`);
    const aliases = [
      ['all', mailboxes],
      ['every', mailboxes.toReversed()],
    ] as const;
    const { known, delivery } = mx({ mailboxes, aliases }, { maxExpandedRecipients: 500 });
    const tagged = Array.from({ length: 1000 }, (_, n) => recipient(`all+${n}`));
    for (const { forwardPath, parameters } of tagged) await known.validateTo(forwardPath, parameters);
    const message = await known.openMessage(envelopeFor(tagged));
    await message.end();
    expect(delivery.delivered[0]?.envelope.recipients).toHaveLength(300);
    const other = recipient('every');
    await known.validateTo(other.forwardPath, other.parameters);
    expect(() => known.openMessage(envelopeFor([...tagged, other]))).toThrow('452 4.5.3');
  });

  it('passes on chunks, the end of the message and its next server', async () => {
    const { delivery, known } = mx(options);
    const sales = recipient('sales');
    await known.validateTo(sales.forwardPath, sales.parameters);
    const message = await known.openMessage(envelopeFor([sales]));
    await message.write(Buffer.from('hello'));
    await message.abort(new Error('gone'));
    expect(delivery.calls).toEqual(['to', 'to', 'open', 'abort']);
    expect(message.nextHop?.(0)).toBeUndefined();
  });
});

function mx(
  recipients: Omit<LocalRecipientsOptions, 'hostname'> | RecipientResolver,
  options?: KnownRecipientsDeliveryOptions,
): { server: Server; delivery: RecordingDelivery; known: KnownRecipientsDelivery } {
  const delivery = new RecordingDelivery();
  const resolver =
    'resolve' in recipients ? recipients : new LocalRecipients({ hostname: 'mx.example.com', ...recipients });
  const known = new KnownRecipientsDelivery(delivery, resolver, options);
  const portal = portalFor({}, MessageDelivery, () => known);
  return { server: new Server({ service: 'mx', allowAnonymous: true, portal }), delivery, known };
}

function recipient(localPart: string): Recipient {
  const forwardPath: ForwardPath = new Mailbox(localPart, 'example.com');
  return { forwardPath, parameters: {} };
}

function envelopeFor(recipients: readonly Recipient[]) {
  return { reversePath: null, parameters: { smtpUtf8: false }, recipients, id: 'test' };
}

function recipientsOf({ delivered }: RecordingDelivery): readonly string[] {
  return (delivered[0]?.envelope.recipients ?? []).map(({ forwardPath }) => String(forwardPath));
}
