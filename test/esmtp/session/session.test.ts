import { defaultLimits, type EsmtpEvent, esmtp } from '@postern/esmtp';
import { settle } from '@postern/testing';
import { describe, expect, test } from 'vitest';
import { ENVELOPE, GREETED, LOGIN, Server } from '../server.ts';

describe('errors', () => {
  test('are counted, and the last one is 421', async () => {
    await new Server().play(
      `${GREETED}${'\nC: XXXX\nS: 500...'.repeat(19)}\nC: XXXX\nC: NOOP\nS: 421 4.7.0 Too many errors\nS: <closed>`,
    );
  });

  test('include lines that cannot be read', async () => {
    await new Server({ limits: { maxErrors: 3 } }).play(
      `${GREETED}\nC: a\nS: 500...\nC: {repeat:20000:x}\nS: 500...\nC: a\\rb\nS: 421 4.7.0 Too many errors\nS: <closed>`,
    );
  });

  test('exclude refusals of a delivery', async () => {
    const server = new Server({ limits: { maxErrors: 2 } });
    server.delivery.onTo = () => Promise.reject(new Error('down'));
    await server.play(
      `${GREETED}${LOGIN}\nC: MAIL FROM:<ann@example.com>\nS: 250...${'\nC: RCPT TO:<bob@example.com>\nS: 451...'.repeat(10)}`,
    );
  });
});

describe('another protocol', () => {
  test.each([
    'GET / HTTP/1.1',
    'POST /login HTTP/1.1',
    'CONNECT mx.example.com:25 HTTP/1.0',
    'HEAD / HTTP/1.0',
    'get /',
    'PRI * HTTP/2.0',
    'OPTIONS * HTTP/1.1',
  ])('%s gets a reply, and the connection closes before its body is read', async (line) => {
    await new Server().play(
      `S: 220...\nC: ${line}\nC: Host: mx.example.com\nC:\nC: EHLO attacker\nS: 502 5.5.1 This is SMTP\nS: <closed>`,
    );
  });

  test('TLS on a port without it gets a reply at once', async () => {
    await new Server().play('S: 220...\nC: <raw \\x16\\x03\\x01>\nS: 502 5.5.1 This is SMTP\nS: <closed>', {
      tlsPolicy: 'offered',
    });
  });
});

describe('a connection', () => {
  test('that sends nothing gets 421', async () => {
    const server = new Server();
    await server.play('S: 220...\nC: <advance 301s>\nS: 421 4.4.2 Took too long, closing the connection\nS: <closed>');
    expect(server.events.map((event) => ('reason' in event ? event.reason : event.kind))).toEqual([
      'connected',
      'timeout',
    ]);
  });

  test('that sends a line octet by octet gets 421', async () => {
    const drip = '\nC: <raw x>\nC: <advance 100s>';
    await new Server().play(
      `S: 220...${drip.repeat(3)}\nC: <advance 2s>\nS: 421 4.4.2 Took too long, closing the connection\nS: <closed>`,
    );
  });

  test.each(['close', 'reset', 'end'])('that ends at once (%s) is no trouble', async (word) => {
    const server = new Server();
    await server.play(`S: 220...\nC: <${word}>`);
    expect(server.kinds()).toEqual(['connected', 'closed']);
  });

  test('that ends in the middle of a line is no error', async () => {
    const server = new Server();
    await server.play('S: 220...\nC: <raw MAIL FRO>\nC: <end>\nS: <closed>');
    expect(server.kinds()).toEqual(['connected', 'closed']);
  });

  test('closes if the TLS handshake fails', async () => {
    const server = new Server();
    await server.play(`${GREETED}\nC: STARTTLS\nS: 220...\nC: <raw not a handshake>\nC: <close>`, {
      tlsPolicy: 'offered',
    });
    expect(server.kinds()).toEqual(['connected', 'error', 'closed']);
    expect(server.events[1]).toMatchObject({ culprit: 'client', during: 'STARTTLS' });
  });
});

describe('events', () => {
  test('report a whole session', async () => {
    const server = new Server();
    await server.play(
      `${GREETED}\nC: STARTTLS\nS: 220...\nC: <starttls>\nC: EHLO client.example.org\nS: 250...${LOGIN}${ENVELOPE}\nC: DATA\nS: 354...\nC: hello\nC: .\nS: 250...\nC: QUIT\nS: 221...`,
      { tlsPolicy: 'offered' },
    );
    expect(server.events).toMatchObject([
      { kind: 'connected' },
      { kind: 'tls-started' },
      { kind: 'authenticated', mechanism: 'PLAIN', avatarId: 'ann' },
      { kind: 'message-accepted', octets: 7, failed: [], envelope: { id: expect.any(String) } },
      { kind: 'closed', reason: 'quit' },
    ]);
    for (const { mind } of server.events) expect(mind.remote.address).toBe('192.0.2.1');
  });

  test('do not affect the session if the listener throws', async () => {
    const onEvent = (_event: EsmtpEvent): never => {
      throw new Error('the log is full');
    };
    await new Server({ onEvent }).play(`${GREETED}${LOGIN}\nC: QUIT\nS: 221...\nS: <closed>`);
  });

  test('do not affect the session if the listener rejects', async () => {
    const failures: unknown[] = [];
    const note = (reason: unknown): void => void failures.push(reason);
    process.on('unhandledRejection', note);
    const onEvent = async (): Promise<never> => {
      throw new Error('the log is full');
    };
    await new Server({ onEvent: onEvent as () => void }).play(`${GREETED}${LOGIN}\nC: QUIT\nS: 221...\nS: <closed>`);
    await settle();
    process.off('unhandledRejection', note);
    expect(failures).toEqual([]);
  });
});

describe('options', () => {
  const { portal } = new Server();

  test.each(['', 'two words', 'mx.example.com\r\n', '-', 'exämple.com', '[192.0.2]', 'a'.repeat(64)])(
    'the hostname cannot be %j',
    (hostname) => {
      expect(() => esmtp({ hostname, portal })).toThrow(TypeError);
    },
  );

  test.each(['mx.example.com', 'localhost', '[192.0.2.1]', '[IPv6:2001:db8::1]'])('it can be %s', (hostname) => {
    expect(() => esmtp({ hostname, portal })).not.toThrow();
  });

  test.each([
    ['maxMessageSize', -1],
    ['maxRecipients', 0],
    ['idleTimeout', Number.NaN],
    ['maxErrors', 0],
    ['maxCommandLine', 100],
  ])('the limit %s refuses %d', (name, value) => {
    expect(() => esmtp({ hostname: 'mx.example.com', portal, limits: { [name]: value } })).toThrow(RangeError);
  });

  test('unknown limits are refused', () => {
    const limits: object = { messagesize: 1_000 };
    expect(() => esmtp({ hostname: 'mx.example.com', portal, limits })).toThrow(
      /^limits: unknown limit "messagesize"; expected .*maxMessageSize/,
    );
  });

  test('a limit left undefined is the default', async () => {
    const server = new Server({ limits: { maxMessageSize: undefined as never } });
    await server.play(
      'S: 220...\nC: EHLO client.example.org\nS: 250-mx.example.com\nS: 250-PIPELINING\nS: 250-SIZE 26214400\nS: 250...',
    );
    expect(defaultLimits.maxMessageSize).toBe(26_214_400);
  });

  test('the limit for lines of text is enforced', async () => {
    const server = new Server({ limits: { maxTextLine: 998 } });
    const mail = (length: number, reply: string): string =>
      `${ENVELOPE}\nC: DATA\nS: 354...\nC: x\nC: {repeat:${length}:x}\nC: x\nC: .\nS: ${reply}`;
    await server.play(
      `${GREETED}${LOGIN}${mail(998, '250...')}${mail(999, '554 5.6.0 A line of the message is too long')}`,
    );
  });
});
