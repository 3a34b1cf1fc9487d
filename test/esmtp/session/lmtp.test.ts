import { AvatarRealm, Portal } from '@postern/cred';
import {
  MessageDelivery,
  PerRecipientDelivery,
  type RecipientResult,
  Rejection,
  Reply,
  type ReportResult,
} from '@postern/esmtp';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { runs } from '../../support/fuzz.ts';
import { RecordingDelivery, Server, type ServerOptions } from '../server.ts';
import { bodies, send } from '../wire.ts';

const lmtp = (options: ServerOptions = {}): Server => new Server({ service: 'lmtp', allowAnonymous: true, ...options });

const GREETED = `
S: 220 mx.example.com LMTP
C: LHLO client.example.org
S: 250...`;
const envelope = (...names: readonly string[]): string =>
  `\nC: MAIL FROM:<ann@example.com>\nS: 250...${names.map((name) => `\nC: RCPT TO:<${name}@example.com>\nS: 250...`).join('')}`;
const DATA = '\nC: DATA\nS: 354...';
const MESSAGE = `${DATA}\nC: hello\nC: .`;
const ok = (name: string): string => `\nS: 250 2.0.0 <${name}@example.com> OK {/[a-z0-9]+/}`;

const full = new Reply(452, '4.2.2', 'Mailbox full');
const gone = new Reply(550, '5.2.1', 'Mailbox closed');

describe('61: the greeting', () => {
  test('is LHLO, with the extensions of EHLO', async () => {
    const transcript = await lmtp().play(GREETED);
    for (const keyword of ['PIPELINING', 'ENHANCEDSTATUSCODES', '8BITMIME', 'SIZE 26214400'])
      expect(transcript).toMatch(new RegExp(`^S: 250[- ]${keyword}$`, 'm'));
  });

  test('is neither HELO nor EHLO: they are 500', async () => {
    await lmtp().play(`
      S: 220 mx.example.com LMTP
      C: EHLO client.example.org
      S: 500 5.5.1 Command not recognised
      C: HELO client.example.org
      S: 500 5.5.1 Command not recognised
      C: EHLO
      S: 500 5.5.1 Command not recognised
      C: MAIL FROM:<ann@example.com>
      S: 503 5.5.1 Send LHLO first
      C: LHLO client.example.org
      S: 250...
      C: EHLO client.example.org
      S: 500 5.5.1 Command not recognised
      C: LHLO
      S: 501 5.5.4 Expected a domain or an address literal`);
  });

  test('and LHLO is 500 in SMTP', async () => {
    await new Server().play(
      'S: 220 mx.example.com ESMTP\nC: LHLO client.example.org\nS: 500 5.5.1 Command not recognised',
    );
  });

  test('is in HELP, and the SMTP greetings are not', async () => {
    const transcript = await lmtp().play(`${GREETED}\nC: HELP\nS: 214...`);
    expect(transcript).toMatch(/^S: 214 .*\bLHLO\b/m);
    expect(transcript).not.toMatch(/^S: 214 .*\b(EHLO|HELO)\b/m);
  });
});

describe('61: a message', () => {
  test('gets a reply for each recipient, in their order', async () => {
    const server = lmtp();
    server.delivery.onEnd = () => [undefined, full, undefined, gone];
    await server.play(
      `${GREETED}${envelope('a', 'b', 'c', 'd')}${MESSAGE}${ok('a')}\nS: 452 4.2.2 Mailbox full${ok('c')}\nS: 550 5.2.1 Mailbox closed\nC: QUIT\nS: 221...`,
    );
    expect(server.events).toContainEqual(
      expect.objectContaining({
        kind: 'message-accepted',
        failed: [
          { recipient: 'b@example.com', reply: full },
          { recipient: 'd@example.com', reply: gone },
        ],
      }),
    );
  });

  test('gets none for a refused recipient, and two for one that was named twice', async () => {
    const server = lmtp();
    server.delivery.onTo = ({ localPart }) => {
      if (localPart === 'nobody') throw new Rejection(550, '5.1.1', 'No such user here');
    };
    await server.play(`${GREETED}
      C: MAIL FROM:<chris@bar.example>
      C: RCPT TO:<pat@example.com>
      C: RCPT TO:<nobody@example.com>
      C: RCPT TO:<pat@example.com>
      C: DATA
      S: 250 2.1.0 Sender OK
      S: 250 2.1.5 Recipient OK
      S: 550 5.1.1 No such user here
      S: 250 2.1.5 Recipient OK
      S: 354...
      C: hello
      C: .${ok('pat')}${ok('pat')}`);
  });

  test('without recipients is 503', async () => {
    const server = lmtp();
    server.delivery.onTo = () => {
      throw new Rejection(550, '5.1.1', 'No such user here');
    };
    await server.play(`${GREETED}
      C: DATA
      S: 503 5.5.1 Bad sequence of commands
      C: MAIL FROM:<ann@example.com>
      S: 250...
      C: DATA
      S: 503 5.5.1 Bad sequence of commands
      C: RCPT TO:<nobody@example.com>
      S: 550...
      C: DATA
      S: 503 5.5.1 Bad sequence of commands`);
  });

  test('that each recipient refuses is one event, and each has its own reply', async () => {
    const server = lmtp();
    server.delivery.onEnd = () => [gone, full];
    await server.play(`${GREETED}${envelope('a', 'b')}${MESSAGE}\nS: 550 5.2.1...\nS: 452 4.2.2...`);
    expect(server.kinds()).toContain('message-refused');
  });

  test.each<[string, Partial<Pick<RecordingDelivery, 'onEnd' | 'onWrite'>>, string, string]>([
    ['a bare LF', {}, 'C: a\\nb', '550 5.6.11...'],
    ['a sink that throws', { onEnd: () => Promise.reject(new Error('down')) }, 'C: hello', '451 4.3.0...'],
    [
      'a sink that refuses',
      { onWrite: () => Promise.reject(new Rejection(452, '4.3.1', 'Full')) },
      'C: hello',
      '452 4.3.1 Full',
    ],
  ])('that fails as a whole, for %s, is refused for each', async (_what, told, line, reply) => {
    const server = lmtp();
    Object.assign(server.delivery, told);
    await server.play(
      `${GREETED}${envelope('a', 'b', 'c')}${DATA}\n${line}\nC: .${`\nS: ${reply}`.repeat(3)}\nC: NOOP\nS: 250...`,
    );
    expect(server.delivery.delivered).toEqual([]);
  });

  test('that cannot be opened gets one reply, in place of 354', async () => {
    const server = lmtp();
    server.delivery.onOpen = () => {
      throw new Rejection(452, '4.3.1', 'Full');
    };
    await server.play(`${GREETED}${envelope('a', 'b')}\nC: DATA\nS: 452 4.3.1 Full\nC: NOOP\nS: 250...`);
  });

  test('gets its first replies before the last results are known', async () => {
    const late = Promise.withResolvers<RecipientResult>();
    const server = lmtp();
    server.delivery.onEnd = async (tell) => {
      tell?.(0, undefined);
      tell?.(2, gone);
      return [undefined, await late.promise, gone];
    };
    await server.play(
      `${GREETED}${envelope('a', 'b', 'c')}${MESSAGE}${ok('a')}\nS: <silence>\nC: <raw {late}>${ok('b')}\nS: 550 5.2.1 Mailbox closed`,
      {
        values: {
          late: () => {
            late.resolve(undefined);
            return '';
          },
        },
      },
    );
  });

  test('that fails after some results were reported is refused for the others', async () => {
    const bug = new Error('the disk is on fire');
    const server = lmtp();
    server.delivery.onEnd = async (tell) => {
      tell?.(1, undefined);
      throw bug;
    };
    await server.play(
      `${GREETED}${envelope('a', 'b', 'c')}${MESSAGE}\nS: 451 4.3.0...${ok('b')}\nS: 451 4.3.0...\nC: NOOP\nS: 250...`,
    );
    expect(server.events).toContainEqual(expect.objectContaining({ kind: 'error', during: 'DATA', cause: bug }));
    expect(server.events).toContainEqual(
      expect.objectContaining({ kind: 'message-accepted', failed: [expect.anything(), expect.anything()] }),
    );
  });

  test('that takes too long is refused for recipients without a result, and later results are ignored', async () => {
    const server = lmtp();
    let late: ReportResult | undefined;
    server.delivery.onEnd = (tell) => {
      late = tell;
      tell?.(0, undefined);
      return new Promise(() => {});
    };
    await server.play(
      `${GREETED}${envelope('a', 'b')}${MESSAGE}${ok('a')}\nS: <silence>\nC: <advance 621s>\nS: 451 4.3.0...\nC: <raw {late}>\nS: <silence>\nC: NOOP\nS: 250 2.0.0 OK`,
      {
        values: {
          late: () => {
            late?.(1, undefined);
            late?.(7, undefined);
            return '';
          },
        },
      },
    );
  });

  test('keeps the first result that is reported for a recipient', async () => {
    const server = lmtp();
    server.delivery.onEnd = (tell) => {
      tell?.(0, undefined);
      tell?.(0, gone);
      return [gone, undefined];
    };
    await server.play(`${GREETED}${envelope('a', 'b')}${MESSAGE}${ok('a')}${ok('b')}`);
  });

  test('for a client that disconnects meanwhile is kept', async () => {
    const late = Promise.withResolvers<void>();
    const server = lmtp();
    server.delivery.onEnd = async (tell) => {
      await late.promise;
      tell?.(0, undefined);
    };
    const played = server.play(`${GREETED}${envelope('a', 'b')}${DATA}\nC: all\nC: .\nC: <reset>`);
    await expect.poll(() => server.delivery.calls).toContain('end');
    late.resolve();
    await played;
    expect(server.delivery.delivered).toHaveLength(1);
  });

  test('with a 421 among its results gets all replies, and then the connection closes', async () => {
    const server = lmtp();
    server.delivery.onEnd = () => [new Reply(421, '4.3.2', 'Going down'), undefined];
    await server.play(
      `${GREETED}${envelope('a', 'b')}${MESSAGE}\nC: NOOP\nS: 421 4.3.2 Going down${ok('b')}\nS: <closed>`,
    );
  });

  test('gets its replies from the delivery of each recipient', async () => {
    const refusing = new RecordingDelivery();
    refusing.onEnd = () => {
      throw new Rejection(452, '4.2.2', 'Mailbox full');
    };
    const taking = new RecordingDelivery();
    const delivery = new PerRecipientDelivery(({ localPart }) => (localPart === 'full' ? refusing : taking));
    const portal = new Portal(new AvatarRealm().provide(MessageDelivery, () => delivery));
    await lmtp({ portal }).play(
      `${GREETED}${envelope('a', 'full', 'b')}${MESSAGE}${ok('a')}\nS: 452 4.2.2 Mailbox full${ok('b')}`,
    );
    expect(taking.delivered.map(({ envelope }) => String(envelope.recipients[0]?.forwardPath))).toEqual([
      'a@example.com',
      'b@example.com',
    ]);
  });
});

describe('61: a message in chunks', () => {
  test('gets one reply for each chunk, and for the last one each recipient’s', async () => {
    const server = lmtp();
    server.delivery.onEnd = () => [undefined, full];
    await server.play(
      `${GREETED}${envelope('a', 'b')}\nC: BDAT 7\nC: hello\nS: 250 2.0.0 7 octets received\nC: BDAT 5 LAST\nC: <raw world>${ok('a')}\nS: 452...\nC: NOOP\nS: 250...`,
    );
    expect(server.delivery.delivered[0]?.text).toMatch(/hello\r\nworld$/);
  });

  test('that is refused gets one refusal for each chunk, and at the end one for each recipient', async () => {
    await lmtp().play(
      `${GREETED}${envelope('a', 'b')}\nC: BDAT 4\nC: <raw a\\nbc>\nS: 550 5.6.11...\nC: BDAT 7\nC: hello\nS: 550 5.6.11...\nC: BDAT 0 LAST\nS: 550 5.6.11...\nS: 550 5.6.11...\nC: MAIL FROM:<>\nS: 250...`,
    );
  });

  test('that could not be opened likewise', async () => {
    const server = lmtp();
    server.delivery.onOpen = () => {
      throw new Rejection(452, '4.3.1', 'Full');
    };
    await server.play(
      `${GREETED}${envelope('a', 'b')}\nC: BDAT 7\nC: hello\nS: 452...\nC: BDAT 7 LAST\nC: hello\nS: 452...\nS: 452...\nC: MAIL FROM:<>\nS: 250...`,
    );
  });

  test('that could not be opened by a server that closes ends the connection', async () => {
    const server = lmtp();
    server.delivery.onOpen = () => {
      throw new Rejection(421, '4.3.2', 'Closing');
    };
    await server.play(
      `${GREETED}${envelope('a', 'b')}\nC: BDAT 7 LAST\nC: hello\nC: NOOP\nS: 421 4.3.2 Closing\nS: 421 4.3.2 Closing\nS: <closed>`,
    );
  });

  test('without recipients has no reply to its end, and the next one may begin', async () => {
    await lmtp().play(
      `${GREETED}\nC: MAIL FROM:<ann@example.com>\nS: 250...\nC: BDAT 7\nC: hello\nS: 503...\nC: BDAT 7 LAST\nC: hello\nS: <silence>\nC: MAIL FROM:<ann@example.com>\nS: 250...`,
    );
  });
});

describe('61: the Received field', () => {
  test.each([
    ['LMTP', 'none', false, ''],
    ['LMTPS', 'implicit', false, ''],
    ['LMTPA', 'none', true, ''],
    ['LMTPSA', 'implicit', true, ''],
    ['UTF8LMTP', 'none', false, ' SMTPUTF8'],
    ['UTF8LMTPSA', 'implicit', true, ' SMTPUTF8'],
  ] as const)('says %s', async (keyword, tlsPolicy, authenticated, parameter) => {
    const server = lmtp({ authentication: 'optional', mechanismPolicy: { allowCleartext: true } });
    const login = authenticated ? '\nC: AUTH PLAIN {base64:\\0ann\\0secret}\nS: 235...' : '';
    const named = envelope('a').replace('ann@example.com>', `ann@example.com>${parameter}`);
    await server.play(`${GREETED}${login}${named}${MESSAGE}${ok('a')}`, { tlsPolicy });
    expect(server.delivery.delivered[0]?.text).toMatch(new RegExp(`\\swith ${keyword}\\s`));
  });

  test('has no address for a client on a UNIX socket', async () => {
    const server = lmtp();
    await server.play(`${GREETED}${envelope('a')}${MESSAGE}${ok('a')}`, {
      tlsPolicy: 'none',
      client: { family: 'unix', address: '', port: 0 },
    });
    expect(server.delivery.delivered[0]?.text).toMatch(
      /^Received: from client\.example\.org by mx\.example\.com with LMTP\s/,
    );
    expect(server.events[0]?.mind.protocol).toBe('lmtp');
  });
});

describe('61: authentication in LMTP', () => {
  test('is not needed, and AUTH is not offered', async () => {
    const transcript = await lmtp().play(
      `${GREETED}\nC: AUTH PLAIN {base64:\\0ann\\0secret}\nS: 504 5.5.4 Unrecognised authentication mechanism`,
    );
    expect(transcript).not.toMatch(/^S: 250[- ]AUTH/m);
  });

  test('may be required', async () => {
    await lmtp({ authentication: 'required' }).play(
      `${GREETED}\nC: MAIL FROM:<ann@example.com>\nS: 530...\nC: AUTH PLAIN {base64:\\0ann\\0secret}\nS: 235...${envelope('a')}`,
    );
  });

  test('may use passwords without TLS on a UNIX socket', async () => {
    const transcript = await lmtp({ authentication: 'optional' }).play(GREETED, {
      tlsPolicy: 'none',
      client: { family: 'unix', address: '', port: 0 },
    });
    expect(transcript).toMatch(/^S: 250[- ]AUTH .*PLAIN/m);
  });

  test('a checker for anonymous clients is wanted before it starts', () => {
    expect(() => lmtp({ allowAnonymous: false })).toThrow(/portal\.register\(new AnonymousChecker\(\)\)/);
  });
});

describe('however its bytes are split', () => {
  const parts = fc.constantFrom(
    'LHLO x\r\n',
    'MAIL FROM:<ann@example.com>\r\n',
    'RCPT TO:<a@example.com>\r\n',
    'RCPT TO:<full@example.com>\r\n',
    'DATA\r\n',
    'hello\r\n.\r\n',
    'bare\nline\r\n.\r\n',
    'BDAT 5\r\nhello',
    'BDAT 5 LAST\r\nhello',
    'BDAT 0 LAST\r\n',
    'RSET\r\n',
    'EHLO x\r\n',
  );
  const begun = fc.constant('LHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<a@example.com>\r\nRCPT TO:<full@example.com>\r\n');

  test('a session makes the same replies and messages', async () => {
    const options = (): ServerOptions => {
      const delivery = new RecordingDelivery();
      delivery.onEnd = async (tell) => {
        tell?.(1, full);
        return [undefined, full];
      };
      return { service: 'lmtp', allowAnonymous: true, delivery };
    };
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof({ weight: 4, arbitrary: parts }, { weight: 1, arbitrary: begun }), { maxLength: 20 }),
        fc.integer(),
        async (sequence, seed) => {
          const bytes = `${sequence.join('')}QUIT\r\n`;
          const whole = await send(bytes, {}, options());
          for (const chunks of ['octets', { seed }] as const) {
            const split = await send(bytes, { chunks }, options());
            expect([split.said, bodies(split), split.server.kinds()]).toEqual([
              whole.said,
              bodies(whole),
              whole.server.kinds(),
            ]);
          }
        },
      ),
      { numRuns: runs(100) },
    );
  });
});
