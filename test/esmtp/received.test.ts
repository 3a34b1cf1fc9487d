import { ANONYMOUS, type Mind } from '@postern/cred';
import { formatReceived, Mailbox, type Trace } from '@postern/esmtp';
import { describe, expect, test } from 'vitest';

const mind: Mind = {
  protocol: 'smtp',
  remote: { family: 'IPv4', address: '192.0.2.1', port: 40_000 },
  local: { family: 'IPv4', address: '192.0.2.25', port: 587 },
  tls: undefined,
  clientName: 'client.example.org',
  signal: new AbortController().signal,
  store: new Map(),
};

function trace(facts: Partial<Mind> = {}, recipients: readonly string[] = ['bob']): Trace {
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
  test('says from whom, by whom, with what, for whom and when', () => {
    expect(unfolded(formatReceived(trace()))).toBe(
      'Received: from client.example.org ([192.0.2.1]) by mx.example.com with ESMTPA id abc123 for <bob@example.com>; Tue, 03 Feb 2026 04:05:06 +0000',
    );
  });

  test('is folded to 78 characters where it can be', () => {
    const names = ['client.example.org', 'x'.repeat(200)];
    for (const clientName of names) {
      const lines = formatReceived(trace({ clientName })).split('\r\n');
      expect(lines.slice(1).every((line) => /^ \S/.test(line))).toBe(true);
      expect(lines.filter((line) => line.length > 78 && !line.includes(' from ')).length).toBe(0);
    }
  });

  test('names nobody if there are several recipients', () => {
    expect(formatReceived(trace({}, ['bob', 'eve']))).not.toContain('example.com>');
  });

  test('tells the cipher suite (RFC 8314 §4.3)', () => {
    const tls = {
      version: 'TLSv1.3',
      cipher: 'TLS_AES_128_GCM_SHA256',
      serverName: undefined,
      peerCertificate: undefined,
      channelBinding: () => undefined,
    };
    expect(unfolded(formatReceived(trace({ tls })))).toContain(' for <bob@example.com> tls TLS_AES_128_GCM_SHA256;');
  });

  test.each([
    [{ family: 'IPv6', address: '2001:db8::1', port: 1 }, '([IPv6:2001:db8::1])'],
    [{ family: 'IPv6', address: 'fe80::1%eth0', port: 1 }, '([IPv6:fe80::1])'],
    [{ family: 'IPv6', address: '::ffff:192.0.2.1', port: 1 }, '([192.0.2.1])'],
  ] as const)('writes %j as a literal', (remote, literal) => {
    expect(formatReceived(trace({ remote }))).toContain(`client.example.org ${literal}`);
  });

  test('says nothing of the address of a UNIX socket', () => {
    expect(unfolded(formatReceived(trace({ remote: { family: 'unix', address: '/run/x', port: 0 } })))).toContain(
      'from client.example.org by mx',
    );
  });

  test.each(['a(b', 'evil;\r\n', '[nonsense]', 'some_host', '', undefined])('does not repeat %j', (clientName) => {
    expect(unfolded(formatReceived(trace({ clientName })))).toContain('Received: from unknown ([192.0.2.1]) by');
  });
});
