import { type Address, type AvatarId, LoginDenied, type Mind, TrustedLogin, TrustedLoginChecker } from '@postern/cred';
import { accept, decide, defer, type ForwardedInfo, forwardedInfo, reject } from '@postern/esmtp';
import { defaultChallengers, ExternalIdentity } from '@postern/sasl';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseXclient } from '../../../../packages/esmtp/src/protocol/xclient.ts';
import { runs } from '../../../support/fuzz.ts';
import { ENVELOPE, GREETED, LOGIN, Server, type ServerOptions } from '../../server.ts';
import { send } from '../../wire.ts';

const PROXY: Address = { family: 'IPv4', address: '192.0.2.1', port: 40_000 };
const isProxy = ({ address }: Address): boolean => address === PROXY.address;
const AGAIN = '\nS: 220 mx.example.com ESMTP\nC: EHLO proxy.example.net\nS: 250...';
const MESSAGE = `${ENVELOPE}\nC: DATA\nS: 354...\nC: x\nC: .\nS: 250...`;

/** Returns a server that by default trusts each peer. */
function trusting(options: ServerOptions = {}): Server {
  const server = new Server({ xclient: isProxy, allowAnonymous: true, authentication: 'optional', ...options });
  server.portal.register(new TrustedLoginChecker());
  return server;
}

/** Returns the mind of the last event. */
function lastMind({ events }: Server): Mind {
  const mind = events.at(-1)?.mind;
  if (mind === undefined) throw new Error('nothing happened');
  return mind;
}

describe('63: XCLIENT', () => {
  test('is offered to trusted peers only', async () => {
    expect(await trusting().play(GREETED)).toMatch(
      /^S: 250[- ]XCLIENT NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT$/m,
    );
    const asyncFunction = (async () => true) as unknown as () => boolean;
    for (const server of [new Server(), trusting({ xclient: () => false }), trusting({ xclient: asyncFunction })]) {
      expect(await server.play(GREETED)).not.toContain('XCLIENT');
    }
  });

  test('is 550 from any other peer, before and after authentication, and changes nothing', async () => {
    const server = new Server();
    await server.play(`S: 220...
      C: XCLIENT ADDR=198.51.100.7
      S: 550 5.7.0 Not authorized
      C: EHLO client.example.org
      S: 250...
      C: XCLIENT ADDR=198.51.100.7 LOGIN=ann
      S: 550 5.7.0 Not authorized${LOGIN}
      C: XCLIENT ADDR=198.51.100.7
      S: 550 5.7.0 Not authorized${MESSAGE}`);
    expect(server.delivery.delivered[0]?.text).toContain('([192.0.2.1])');
    expect(server.kinds()).not.toContain('forwarded');
  });

  test('is 530 where TLS is required', async () => {
    await trusting().play(`${GREETED}\nC: XCLIENT ADDR=198.51.100.7\nS: 530...`, { tlsPolicy: 'required' });
  });

  test('restarts the session, with the information in the mind', async () => {
    const server = trusting();
    const facts: ForwardedInfo[] = [];
    server.delivery.onFrom = () => void facts.push(forwardedInfo(lastMind(server)) ?? {});
    await server.play(`${GREETED}
      C: XCLIENT NAME=client.example.org ADDR=198.51.100.7 PORT=50000 PROTO=ESMTP HELO=laptop.example.org DESTADDR=203.0.113.5 DESTPORT=587
      S: 220 mx.example.com ESMTP
      C: MAIL FROM:<ann@example.com>
      S: 503 5.5.1 Send EHLO first
      C: EHLO proxy.example.net
      S: 250...${MESSAGE}`);
    const { remote, local, clientName } = lastMind(server);
    expect([remote, local, clientName]).toEqual([
      { family: 'IPv4', address: '198.51.100.7', port: 50_000 },
      { family: 'IPv4', address: '203.0.113.5', port: 587 },
      'laptop.example.org',
    ]);
    expect(facts).toEqual([
      {
        name: 'client.example.org',
        address: { family: 'IPv4', address: '198.51.100.7' },
        port: 50_000,
        protocol: 'ESMTP',
        helo: 'laptop.example.org',
        destinationAddress: { family: 'IPv4', address: '203.0.113.5' },
        destinationPort: 587,
      },
    ]);
    expect(server.delivery.delivered[0]?.text).toMatch(
      /^Received: from laptop\.example\.org \(client\.example\.org \[198\.51\.100\.7\]\)\s/,
    );
    expect(server.events).toContainEqual(
      expect.objectContaining({ kind: 'forwarded', peer: expect.objectContaining(PROXY) }),
    );
  });

  test.each([
    ['ADDR=IPV6:2001:db8::1', 'remote', { family: 'IPv6', address: '2001:db8::1', port: 0 }],
    ['ADDR=IPV6:::ffff:198.51.100.7', 'remote', { family: 'IPv4', address: '198.51.100.7', port: 0 }],
    ['ADDR=[UNAVAILABLE] PORT=[UNAVAILABLE]', 'remote', { family: 'IPv4', address: '0.0.0.0', port: 0 }],
    ['PORT=7', 'remote', { ...PROXY, port: 7 }],
    ['addr=198.51.100.7', 'remote', { family: 'IPv4', address: '198.51.100.7', port: 0 }],
    ['HELO=client+2Dx', 'clientName', 'client-x'],
    ['HELO=[UNAVAILABLE]', 'clientName', undefined],
    ['NAME=[TEMPUNAVAIL] HELO=x', 'clientName', 'x'],
    // The loopback address of another host is not this host.
    ['ADDR=127.0.0.1', 'remote', { family: 'IPv4', address: '0.0.0.0', port: 0 }],
  ] as const)('%s is understood', async (attributes, fact, expected) => {
    const server = trusting();
    await server.play(`${GREETED}\nC: XCLIENT ${attributes}${AGAIN}`);
    expect(lastMind(server)[fact]).toEqual(expected);
  });

  test('makes no remote client a local one, and no client a trusted peer', async () => {
    const server = trusting();
    expect(await server.play(`${GREETED}\nC: XCLIENT ADDR=127.0.0.1${AGAIN}`, { tlsPolicy: 'none' })).not.toMatch(
      /AUTH .*PLAIN/,
    );
    const chained = trusting({ xclient: ({ address }) => address === '192.0.2.1' });
    await chained.play(`${GREETED}\nC: XCLIENT ADDR=198.51.100.7${AGAIN}\nC: XCLIENT PORT=9${AGAIN}`);
    expect(lastMind(chained).remote).toEqual({ family: 'IPv4', address: '198.51.100.7', port: 9 });
  });

  test("removes the peer's certificate and channel binding from the mind", async () => {
    const tls = {
      peerCertificate: {
        verified: true,
        subject: 'CN=proxy',
        subjectAltName: undefined,
        fingerprint256: '0'.repeat(64),
      },
    };
    const server = trusting({
      challengers: defaultChallengers({ hostname: 'mail.example.com', channelBinding: 'offered' }),
    });
    server.portal.register(decide([ExternalIdentity], () => accept('proxy')));
    const transcript = await server.play(
      `${GREETED}\nC: XCLIENT ADDR=198.51.100.7${AGAIN}\nC: AUTH EXTERNAL =\nS: 504...\nC: AUTH SCRAM-SHA-256-PLUS\nS: 504...`,
      { tls },
    );
    const offers = Array.from(transcript.matchAll(/^S: 250[- ]AUTH (.*)$/gm), ([, list]) => list?.split(' '));
    expect(offers[0]).toEqual(expect.arrayContaining(['EXTERNAL', 'SCRAM-SHA-256-PLUS']));
    expect(offers[1]).toEqual(expect.arrayContaining(['PLAIN', 'SCRAM-SHA-256']));
    expect(offers[1]?.join(' ')).not.toMatch(/EXTERNAL|PLUS/);
    expect(lastMind(server).tls).toMatchObject({ version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384' });
  });

  test.each([
    'XCLIENT',
    'XCLIENT ADDR',
    'XCLIENT ADDR=',
    'XCLIENT ADDR=300.0.0.1',
    'XCLIENT ADDR=2001:db8::1',
    'XCLIENT ADDR=localhost',
    'XCLIENT PORT=65536',
    'XCLIENT PORT=-1',
    'XCLIENT PROTO=LMTP',
    'XCLIENT NAME=a+20b',
    'XCLIENT HELO=a+0D+0AMAIL',
    'XCLIENT LOGIN=a+00b',
    'XCLIENT LOGIN=+FF',
    'XCLIENT HELO=a+2',
    'XCLIENT HELO=a+2f',
    'XCLIENT ADDR=198.51.100.7 ADDR=198.51.100.8',
    'XCLIENT COLOUR=red',
    'XCLIENT __proto__=x',
    'XCLIENT ADDR=198.51.100.7 junk',
  ])('%j is 501, and changes nothing', async (command) => {
    const server = trusting();
    await server.play(
      `${GREETED}\nC: ${command}\nS: 501 5.5.4 Syntax error in the attributes\nC: MAIL FROM:<>\nS: 250...`,
    );
    expect(lastMind(server).remote).toEqual(expect.objectContaining(PROXY));
  });

  test('in a transaction is 503', async () => {
    await trusting().play(`${GREETED}${ENVELOPE}\nC: XCLIENT ADDR=198.51.100.7\nS: 503 5.5.1 Bad sequence of commands`);
  });

  test('logs out the previous user', async () => {
    const server = trusting();
    await server.play(
      `${GREETED}${LOGIN}\nC: XCLIENT ADDR=198.51.100.7${AGAIN}${LOGIN}\nC: XCLIENT PORT=1${AGAIN}\nC: MAIL FROM:<>\nS: 250...`,
    );
    expect(server.delivery.calls).toEqual(['logout', 'logout', 'from', 'logout']);
  });

  test('with PROTO=SMTP makes the message "with SMTP"', async () => {
    const server = trusting();
    await server.play(`${GREETED}\nC: XCLIENT PROTO=SMTP${AGAIN}${MESSAGE}`);
    expect(server.delivery.delivered[0]?.text).toMatch(/ with SMTP\s/);
  });

  test('survives STARTTLS, except for the login', async () => {
    const server = trusting();
    await server.play(
      `${GREETED}\nC: XCLIENT ADDR=198.51.100.7 NAME=client.example.org LOGIN=ann${AGAIN}\nC: STARTTLS\nS: 220...\nC: <starttls>\nC: EHLO proxy.example.net\nS: 250...${LOGIN}${MESSAGE}`,
      { tlsPolicy: 'offered' },
    );
    expect(server.delivery.delivered[0]?.text).toMatch(
      /^Received: from proxy\.example\.net \(client\.example\.org \[198\.51\.100\.7\]\)\s/,
    );
    expect(forwardedInfo(lastMind(server))).toEqual({
      address: { family: 'IPv4', address: '198.51.100.7' },
      name: 'client.example.org',
    });
  });

  test('keeps the TLS of the connection', async () => {
    const server = trusting();
    const transcript = await server.play(
      `${GREETED}\nC: STARTTLS\nS: 220...\nC: <starttls>\nC: EHLO proxy.example.net\nS: 250...\nC: XCLIENT ADDR=198.51.100.7${AGAIN}`,
      { tlsPolicy: 'offered' },
    );
    expect(transcript.match(/250.STARTTLS/g)).toHaveLength(1);
    expect(lastMind(server).tls).toBeDefined();
  });

  test('may be pipelined with other commands', async () => {
    const server = trusting();
    await server.play(
      `${GREETED}\nC: XCLIENT ADDR=198.51.100.7\nC: EHLO proxy.example.net\nC: MAIL FROM:<>\nS: 220 mx.example.com ESMTP\nS: 250...\nS: 250...`,
    );
  });

  test('works in LMTP, too', async () => {
    await trusting({ service: 'lmtp' }).play(
      `S: 220 mx.example.com LMTP\nC: LHLO proxy.example.net\nS: 250...\nC: XCLIENT ADDR=198.51.100.7\nS: 220 mx.example.com LMTP\nC: LHLO proxy.example.net\nS: 250...`,
    );
  });
});

describe('63: LOGIN', () => {
  const LOGGED_IN = `${GREETED}\nC: XCLIENT ADDR=198.51.100.7 LOGIN=ann+40example.com${AGAIN}`;

  test('logs in a user that the checker for TrustedLogin accepts', async () => {
    const server = trusting({ authentication: 'required' });
    await server.play(`${LOGGED_IN}${MESSAGE}`);
    expect(server.events).toContainEqual(
      expect.objectContaining({ kind: 'authenticated', mechanism: 'XCLIENT', avatarId: 'ann@example.com' }),
    );
    expect(server.delivery.delivered[0]?.text).toContain(' with ESMTPSA');
  });

  test('is a login: AUTH is 503 afterwards', async () => {
    await trusting().play(`${LOGGED_IN}\nC: AUTH PLAIN {base64:\\0ann\\0secret}\nS: 503 5.5.1 Authenticated already`);
  });

  test('stays after an XCLIENT without LOGIN, and ends with LOGIN=[UNAVAILABLE]', async () => {
    const server = trusting({ authentication: 'required' });
    await server.play(
      `${LOGGED_IN}\nC: XCLIENT PORT=9${AGAIN}\nC: MAIL FROM:<>\nS: 250...\nC: RSET\nS: 250...\nC: XCLIENT LOGIN=[UNAVAILABLE]${AGAIN}\nC: MAIL FROM:<>\nS: 530...${LOGIN}`,
    );
  });

  test('replaces another', async () => {
    const server = trusting();
    await server.play(`${LOGGED_IN}\nC: XCLIENT LOGIN=bob${AGAIN}\nC: MAIL FROM:<>\nS: 250...`);
    expect(server.delivery.calls).toEqual(['logout', 'from', 'logout']);
    expect(server.portal.openLogins).toBe(0);
  });

  test('is in UTF-8, and prepared like the names in SASL mechanisms', async () => {
    const server = trusting();
    await server.play(`${GREETED}\nC: XCLIENT LOGIN=J+C3+BCrgen+C2+AD${AGAIN}`);
    expect(server.events).toContainEqual(expect.objectContaining({ avatarId: 'Jürgen' }));
  });

  test('is neither offered nor accepted without a checker for it', async () => {
    const server = new Server({ xclient: isProxy });
    const transcript = await server.play(
      `${GREETED}\nC: XCLIENT ADDR=198.51.100.7 LOGIN=ann\nS: 501 5.5.4 LOGIN is not accepted`,
    );
    expect(transcript).toMatch(/XCLIENT NAME ADDR PORT PROTO HELO DESTADDR DESTPORT$/m);
    expect(lastMind(server).remote).toEqual(expect.objectContaining(PROXY));
  });

  test.each<[string, (login: TrustedLogin, mind: Mind) => AvatarId, string]>([
    [
      'a refusal',
      () => {
        throw new LoginDenied('disabled');
      },
      'S: 550 5.7.0 Not authorized\nC: MAIL FROM:<>\nS: 250...',
    ],
    [
      'error',
      () => {
        throw new Error('down');
      },
      'S: 421 4.3.0 Something went wrong here, closing the connection\nS: <closed>',
    ],
  ])('that is refused by %s changes nothing', async (_what, requestAvatarId, rest) => {
    const server = new Server({ xclient: isProxy, allowAnonymous: true, authentication: 'optional' });
    server.portal.register({ credentialInterfaces: [TrustedLogin], requestAvatarId });
    await server.play(`${GREETED}\nC: XCLIENT ADDR=198.51.100.7 LOGIN=ann\n${rest}`);
    expect(lastMind(server).remote).toEqual(expect.objectContaining(PROXY));
    expect(server.kinds()).not.toContain('forwarded');
  });

  test("is checked with the new information, and refused with the checker's reply", async () => {
    const seen: unknown[] = [];
    const server = new Server({ xclient: isProxy });
    server.portal.register(
      decide([TrustedLogin], ({ username }, mind) => {
        seen.push([username, mind.remote.address, forwardedInfo(mind)?.name]);
        return seen.length === 1
          ? defer('Busy')
          : reject('Not from there', { code: 550, enhanced: '5.7.1', disconnect: true });
      }),
    );
    await server.play(`${GREETED}
      C: XCLIENT NAME=client.example.org ADDR=198.51.100.7 LOGIN=ann
      S: 454 4.7.0 Busy
      C: XCLIENT ADDR=198.51.100.8 LOGIN=ann
      S: 550 5.7.1 Not from there
      S: <closed>`);
    expect(seen).toEqual([
      ['ann', '198.51.100.7', 'client.example.org'],
      ['ann', '198.51.100.8', undefined],
    ]);
  });
});

describe('the attributes', () => {
  test('of any text are parsed without an exception, to values of their grammar', () => {
    const word = fc.constantFrom(
      'ADDR=',
      'NAME=',
      'HELO=',
      'LOGIN=',
      'PORT=',
      'PROTO=',
      'DESTADDR=',
      'DESTPORT=',
      'X=',
      '',
    );
    const value = fc.oneof(
      fc.string({ maxLength: 20, unit: 'binary-ascii' }),
      fc.constantFrom('192.0.2.1', 'IPV6:::1', '[UNAVAILABLE]', '25', 'ESMTP', 'a.example', '+C3+BC', '+0A'),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(word, value), { maxLength: 5 }), (words) => {
        const facts = parseXclient(` ${words.map((pair) => pair.join('')).join(' ')}`);
        if (facts === undefined) return;
        for (const text of [facts.name, facts.helo]) expect(text ?? 'x').toMatch(/^[!-~]+$/);
        expect(facts.login ?? 'x').toMatch(/^[^\0-\x1f\x7f]+$/);
        for (const port of [facts.port, facts.destinationPort]) expect(port ?? 0).toBeLessThanOrEqual(65_535);
      }),
      { numRuns: runs(2_000) },
    );
  });

  test('have the same effect wherever the octets are split', async () => {
    const bytes =
      'EHLO x\r\nXCLIENT ADDR=198.51.100.7 LOGIN=ann\r\nEHLO x\r\nMAIL FROM:<>\r\nXCLIENT PORT=1\r\nQUIT\r\n';
    const said = async (chunks: 'whole' | 'octets' | { seed: number }): Promise<string> => {
      const outcome = await send(bytes, { chunks }, { xclient: isProxy });
      return outcome.said;
    };
    const whole = await said('whole');
    expect(whole).toMatch(/\r\n501 .*LOGIN/);
    for (const chunks of ['octets', { seed: 1 }, { seed: 2 }] as const) expect(await said(chunks)).toBe(whole);
  });
});
