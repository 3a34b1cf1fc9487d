import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Protocol } from '@postern/conversation';
import { type Envelope, esmtp, MessageDelivery, OwnSenderDelivery, Rejection } from '@postern/esmtp';
import { connectSmtp } from '@postern/esmtp/client';
import { Certificates, connect, type Endpoint, type Listener, type ListenOptions, listen } from '@postern/node';
import { RelayDelivery, Smarthost, type SmarthostOptions } from '@postern/relay';
import { defaultChallengers } from '@postern/sasl';
import { passwordResponders } from '@postern/sasl/client';
import { portalFor } from '@postern/testing';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { play } from '../esmtp/client/scripted-server.ts';
import { RecordingDelivery } from '../esmtp/server.ts';
import { TestAuthority } from '../support/certificates.ts';
import { ann, codes, deliver, envelope, eve, finish, greeting, joe, toBoth } from './upstream.ts';

let folder: string;
let authority: TestAuthority;
let certificates: Certificates;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'relay-'));
  authority = await TestAuthority.create();
  certificates = await Certificates.load(await authority.server());
});

afterAll(() => rm(folder, { recursive: true }));

const LOOPBACK: Endpoint = { host: '127.0.0.1', port: 0 };

async function serve(protocol: Protocol, options: Partial<ListenOptions> = {}): Promise<Listener> {
  const listener = await listen({ endpoint: LOOPBACK, ...options, protocol });
  onTestFinished(() => listener.close({ shutdownTimeout: 0 }));
  return listener;
}

/** A next server for the user relay, and what was delivered there. */
async function nextServer(options: Partial<ListenOptions> = {}) {
  const delivery = new RecordingDelivery();
  const portal = portalFor({ relay: 's3cret' }, MessageDelivery, () => delivery);
  const hostname = 'next.example.com';
  const bound = defaultChallengers({ hostname, channelBinding: 'offered' });
  const listener = await serve(esmtp({ hostname, portal, challengers: bound }), options);
  return { delivery, endpoint: { host: '127.0.0.1', port: listener.address.port } };
}

function relayTo(options: SmarthostOptions) {
  const troubles: unknown[] = [];
  const smarthost = new Smarthost({
    hostname: 'relay.example.com',
    responders: passwordResponders({ username: 'relay', password: 's3cret' }),
    onError: (error) => troubles.push(error),
    ...options,
  });
  onTestFinished(() => smarthost.close());
  return { smarthost, delivery: new RelayDelivery(smarthost), troubles };
}

describe('a smarthost on a socket', () => {
  it.each([
    ['in the clear on this machine', {}, {}, undefined],
    ['with STARTTLS', { tlsPolicy: 'required' }, { tls: 'required' }, 'TLSv1.3'],
    ['with TLS from the first byte', { tlsPolicy: 'implicit' }, { tls: 'implicit' }, 'TLSv1.3'],
  ] as const)(
    'gets messages %s',
    async (_how, { tlsPolicy = 'none' }: { tlsPolicy?: Listener['tlsPolicy'] }, how, version) => {
      const next = await nextServer({ tlsPolicy, certificates });
      const { delivery, smarthost } = relayTo({ endpoint: next.endpoint, ca: authority.cert, ...how });
      expect(await deliver(delivery, envelope([ann, eve]))).toEqual([250, 250]);
      const { client } = await smarthost.acquire();
      expect(client.channel.tls?.version).toBe(version);
      expect(client.responder?.mechanism).toMatch(version === undefined ? /^SCRAM-.*\d$/ : /^SCRAM-.*-PLUS$/);
      expect(next.delivery.delivered).toHaveLength(1);
      expect(next.delivery.delivered[0]?.envelope.recipients).toHaveLength(2);
      expect(next.delivery.delivered[0]?.text).toMatch(/^Received: .*\r\nhello\r\n$/s);
    },
  );

  it.each(['required', 'implicit'] as const)('gets no message if its certificate is not valid: %s', async (tls) => {
    const next = await nextServer({ tlsPolicy: tls, certificates });
    const { delivery, troubles } = relayTo({ endpoint: next.endpoint, tls });
    await expect(deliver(delivery, envelope([ann]))).rejects.toMatchObject({ reply: { code: 451, enhanced: '4.4.1' } });
    expect(troubles).toHaveLength(1);
    expect(next.delivery.calls).toEqual([]);
  });

  it('gets messages with any certificate if TLS is offered only', async () => {
    const next = await nextServer({ tlsPolicy: 'offered', certificates });
    const { delivery, smarthost } = relayTo({ endpoint: next.endpoint, tls: 'offered' });
    expect(await deliver(delivery, envelope([ann]))).toEqual([250]);
    const { client } = await smarthost.acquire();
    expect(client.channel.tls).toMatchObject({ version: 'TLSv1.3', peerCertificate: { verified: false } });
  });

  it('may be unreachable at the start', async () => {
    const listener = await listen({ endpoint: LOOPBACK, protocol: async () => {} });
    await listener.close({ shutdownTimeout: 0 });
    const { delivery, troubles } = relayTo({ endpoint: { host: '127.0.0.1', port: listener.address.port } });
    await expect(deliver(delivery, envelope([ann]))).rejects.toMatchObject({ reply: { code: 451, enhanced: '4.4.1' } });
    expect(troubles).toMatchObject([{ cause: { code: 'peer-gone' } }]);
  });

  it('can be an LMTP server on a UNIX socket', async () => {
    const path = join(folder, 'lmtp');
    const script = greeting().replace('EHLO', 'LHLO') + toBoth('S: 250 2.0.0 kept\nS: 452 4.2.2 full');
    const played = Promise.withResolvers<void>();
    const protocol: Protocol = (conversation) => {
      played.resolve(play(conversation, script.split('\n')));
      return played.promise;
    };
    await serve(protocol, { endpoint: { path } });
    const { delivery } = relayTo({ endpoint: { path }, lmtp: true, responders: [] });
    const message = delivery.openMessage(envelope([ann, eve]));
    expect(codes(await finish(message))).toEqual([250, 452]);
    await played.promise;
  });
});

describe('a relaying server', () => {
  /** A client that has logged in at a server that relays to the next server. */
  async function client(next: { endpoint: Endpoint }) {
    const { smarthost } = relayTo({ endpoint: next.endpoint });
    const addresses = new Map([['joe', [joe.toString()]]]);
    const portal = portalFor({ joe: 'mine' }, MessageDelivery, (avatarId) => {
      return new OwnSenderDelivery(new RelayDelivery(smarthost), { avatarId, addresses });
    });
    const { address } = await serve(esmtp({ hostname: 'relay.example.com', portal }));
    const transport = await connect({ endpoint: { host: '127.0.0.1', port: address.port } });
    const responders = passwordResponders({ username: 'joe', password: 'mine' });
    const smtp = await connectSmtp(transport, { hostname: 'client.example.com', responders });
    onTestFinished(() => smtp[Symbol.asyncDispose]());
    return smtp;
  }

  it('passes on the next server’s reply to RCPT', async () => {
    const next = await nextServer();
    next.delivery.onTo = ({ localPart }) => {
      if (localPart === 'eve') throw new Rejection(550, '5.1.1', 'No eve here');
    };
    const smtp = await client(next);
    const replies = await smtp.send({ from: joe, to: [ann, eve] }, [Buffer.from('Subject: hi\r\n\r\n..\r\n')]);
    expect(replies.map(String)).toEqual([expect.stringMatching(/^250 /), '550 5.1.1 No eve here\r\n']);
    const [delivered] = next.delivery.delivered;
    expect(delivered?.envelope.recipients.map(recipientsOf)).toEqual(['ann@example.org']);
    // One transaction did for the questions and for the message.
    expect(next.delivery.calls).toEqual(['from', 'to', 'to', 'open', 'end']);
    expect(delivered?.text).toMatch(/^Received: .*Received: .*Subject: hi\r\n\r\n\.\.\r\n$/s);
  });

  it('refuses a foreign sender without a callout', async () => {
    const next = await nextServer();
    const smtp = await client(next);
    const sent = smtp.send({ from: eve, to: [ann] }, []);
    await expect(sent).rejects.toMatchObject({ command: 'MAIL', reply: { code: 553, enhanced: '5.7.1' } });
    expect(next.delivery.calls).toEqual([]);
  });

  it('sends nothing of a message that its client aborts', async () => {
    const next = await nextServer();
    const smtp = await client(next);
    const outgoing = await smtp.open({ from: joe, to: [ann] });
    await outgoing.write(Buffer.from('Subject: half\r\n'));
    outgoing.abort();
    const whole = await client(next);
    await whole.send({ from: joe, to: [ann] }, [Buffer.from('Subject: whole\r\n')]);
    expect(next.delivery.calls.filter((call) => call === 'open')).toHaveLength(1);
    expect(next.delivery.delivered[0]?.text).toMatch(/Subject: whole\r\n$/);
  });

  it('keeps every octet of a message in a file, for a slow next server', async () => {
    const next = await nextServer();
    next.delivery.onWrite = () => new Promise((resolve) => setImmediate(resolve));
    const smtp = await client(next);
    const line = Buffer.from(`.${'x'.repeat(70)}\r\n`.repeat(500));
    await smtp.send(
      { from: joe, to: [ann] },
      Array.from({ length: 100 }, () => line),
    );
    const text = next.delivery.delivered[0]?.text ?? '';
    expect(text.slice(text.indexOf('\r\n.') + 2)).toBe(line.toString().repeat(100));
  });
});

function recipientsOf({ forwardPath }: Envelope['recipients'][number]): string {
  return forwardPath.toString();
}
