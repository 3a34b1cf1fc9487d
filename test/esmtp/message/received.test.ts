import { ANONYMOUS, type Mind } from '@postern/cred';
import { formatReceived, Mailbox, type ReceivedTrace } from '@postern/esmtp';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ReceivedFieldCache, receivedOctets } from '../../../packages/esmtp/src/message/received.ts';
import { runs } from '../../support/fuzz.ts';
import { ENVELOPE, GREETED, LOGIN, Server } from '../server.ts';

const mind: Mind = {
  protocol: 'smtp',
  remote: { family: 'IPv4', address: '192.0.2.1', port: 40_000 },
  local: { family: 'IPv4', address: '192.0.2.25', port: 587 },
  tls: undefined,
  clientName: 'client.example.org',
  signal: new AbortController().signal,
  store: new Map(),
};

const TLS = {
  version: 'TLSv1.3',
  cipher: 'TLS_AES_128_GCM_SHA256',
  serverName: undefined,
  peerCertificate: undefined,
  channelBinding: () => undefined,
};

function trace(facts: Partial<Mind> = {}, recipients: readonly string[] = ['bob']): ReceivedTrace {
  return {
    mind: { ...mind, ...facts },
    avatarId: ANONYMOUS,
    hostname: 'mx.example.com',
    protocol: 'ESMTPA',
    envelope: {
      id: 'abc123',
      reversePath: null,
      parameters: { smtpUtf8: false },
      recipients: recipients.map((name) => ({ forwardPath: new Mailbox(name, 'example.com'), parameters: {} })),
    },
    date: new Date(Date.UTC(2026, 1, 3, 4, 5, 6)),
  };
}

const unfolded = (field: string): string => field.replace(/\r\n(?=[ \t])/g, '');

describe('a Received field', () => {
  test('names the client, the server, the protocol, the recipient and the time', () => {
    expect(unfolded(formatReceived(trace()))).toBe(
      'Received: from client.example.org ([192.0.2.1]) by mx.example.com with ESMTPA id abc123 for <bob@example.com>; Tue, 03 Feb 2026 04:05:06 +0000',
    );
  });

  test('leaves out the client with omitClient', () => {
    const way = { ...trace(), remoteName: 'laptop.example.org', omitClient: true };
    expect(unfolded(formatReceived(way))).toBe(
      'Received: by mx.example.com with ESMTPA id abc123 for <bob@example.com>; Tue, 03 Feb 2026 04:05:06 +0000',
    );
  });

  test('is folded to 78 characters if its clauses allow that', () => {
    const names = ['client.example.org', 'x'.repeat(200)];
    for (const clientName of names) {
      const lines = formatReceived(trace({ clientName })).split('\r\n');
      expect(lines.slice(1).every((line) => /^ \S/.test(line))).toBe(true);
      expect(lines.filter((line) => line.length > 78 && !line.includes(' from ')).length).toBe(0);
    }
  });

  test('names no recipient of several', () => {
    expect(formatReceived(trace({}, ['bob', 'eve']))).not.toContain('example.com>');
  });

  test('names the cipher suite (RFC 8314 §4.3)', () => {
    expect(unfolded(formatReceived(trace({ tls: TLS })))).toContain(
      ' for <bob@example.com> tls TLS_AES_128_GCM_SHA256;',
    );
  });

  test.each([
    [{ family: 'IPv6', address: '2001:db8::1', port: 1 }, '([IPv6:2001:db8::1])'],
    [{ family: 'IPv6', address: 'fe80::1%eth0', port: 1 }, '([IPv6:fe80::1])'],
    [{ family: 'IPv6', address: '::ffff:192.0.2.1', port: 1 }, '([192.0.2.1])'],
  ] as const)('writes %j as a literal', (remote, literal) => {
    expect(formatReceived(trace({ remote }))).toContain(`client.example.org ${literal}`);
  });

  test('has no address of a UNIX socket', () => {
    expect(unfolded(formatReceived(trace({ remote: { family: 'unix', address: '/run/x', port: 0 } })))).toContain(
      'from client.example.org by mx',
    );
  });

  test.each(['a(b', 'evil;\r\n', '[nonsense]', 'some_host', '', undefined])('does not repeat %j', (clientName) => {
    expect(unfolded(formatReceived(trace({ clientName })))).toContain('Received: from unknown ([192.0.2.1]) by');
  });
});

test('the octets of a field are those of its text', () => {
  const texts = fc.stringMatching(/^[a-z0-9.]{1,90}$/);
  const localParts = fc.oneof(texts, fc.constantFrom('j\u00f6e', '\u{1f600}', 'a b', '"'));
  const ciphers = fc.option(fc.constantFrom('TLS_AES_128_GCM_SHA256', '(;)'), { nil: undefined });
  const paths = fc.array(fc.tuple(localParts, texts), { maxLength: 2 });
  fc.assert(
    fc.property(texts, texts, ciphers, paths, (clientName, id, cipher, mailboxes) => {
      const tls = cipher === undefined ? undefined : { ...TLS, cipher };
      const given = trace({ clientName, tls });
      const recipients = mailboxes.map(([local, domain]) => ({
        forwardPath: new Mailbox(local, domain),
        parameters: {},
      }));
      const envelope = { ...given.envelope, id, recipients };
      const octets = receivedOctets(new ReceivedFieldCache().get(given), envelope, 'Tue, 03 Feb 2026 04:05:06 +0000');
      expect(octets.toString()).toBe(`${formatReceived({ ...given, envelope })}\r\n`);
    }),
    { numRuns: runs(500) },
  );
});

describe('omitClientFromReceived', () => {
  const CLIENT = /client\.example\.org|laptop\.example\.org|192\.0\.2\.1|198\.51\.100\.8/;
  const options = { omitClientFromReceived: true, xclient: () => true };
  const client = { family: 'IPv4', address: '192.0.2.1', port: 1 } as const;

  async function received(server: Server, forwarded = ''): Promise<string> {
    await server.play(`${GREETED}${forwarded}${LOGIN}${ENVELOPE}\nC: DATA\nS: 354...\nC: .\nS: 250...`, { client });
    return unfolded(server.delivery.delivered[0]?.text ?? '');
  }

  test('is false by default, at each service', async () => {
    for (const service of ['submission', 'mx'] as const) {
      expect(await received(new Server({ service }))).toMatch(
        /^Received: from client\.example\.org \(\[192\.0\.2\.1\]\) by /,
      );
    }
  });

  test('leaves out the address of the connection and the name in EHLO', async () => {
    const text = await received(new Server(options));
    expect(text).toMatch(/^Received: by mx\.example\.com with ESMTPSA id /);
    expect(text).not.toMatch(CLIENT);
  });

  test('leaves out the client of XCLIENT', async () => {
    const forwarded =
      '\nC: XCLIENT ADDR=198.51.100.8 NAME=laptop.example.org HELO=client.example.org\nS: 220...\nC: EHLO proxy.example.net\nS: 250...';
    expect(await received(new Server(options), forwarded)).not.toMatch(CLIENT);
    expect(await received(new Server({ xclient: () => true }), forwarded)).toMatch(
      /^Received: from client\.example\.org \(laptop\.example\.org \[198\.51\.100\.8\]\) by /,
    );
  });

  test("is in the trace of a delivery's own field", async () => {
    const server = new Server(options);
    Object.assign(server.delivery, { receivedHeader: formatReceived });
    expect(await received(server)).toMatch(/^Received: by mx\.example\.com /);
  });
});
