import { type MailParameters, type OptionalExtension, optionalExtensions, Rejection } from '@postern/esmtp';
import { describe, expect, test } from 'vitest';
import { ENVELOPE, GREETED, LOGIN, Server, type ServerOptions } from '../server.ts';

async function play(script: string, options: ServerOptions = {}, prepare = (_server: Server): void => {}) {
  const server = new Server(options);
  prepare(server);
  await server.play(`${GREETED}${LOGIN}${script}`);
  return server;
}

/** Returns the lines of the reply to EHLO by keyword. */
async function offered(options: ServerOptions = {}, tlsPolicy: 'implicit' | 'offered' | 'none' = 'implicit') {
  const transcript = await new Server(options).play(GREETED, { tlsPolicy });
  return new Map(
    [...transcript.matchAll(/^S: 250[- ](\S+) ?(.*)$/gm)].map(([, keyword = '', rest = '']) => [keyword, rest]),
  );
}

describe('62: REQUIRETLS', () => {
  test('is offered with TLS, and not without', async () => {
    expect((await offered()).get('REQUIRETLS')).toBe('');
    expect((await offered({}, 'none')).has('REQUIRETLS')).toBe(false);
    expect((await offered({}, 'offered')).has('REQUIRETLS')).toBe(false);
  });

  test('is offered after STARTTLS', async () => {
    const transcript = await new Server().play(
      `${GREETED}\nC: STARTTLS\nS: 220...\nC: <starttls>\nC: EHLO x\nS: 250...`,
      {
        tlsPolicy: 'offered',
      },
    );
    expect(transcript.split('<starttls>').map((part) => part.includes('250-REQUIRETLS'))).toEqual([false, true]);
  });

  test('tags the message for the delivery, whatever its header says', async () => {
    const server = await play(`
      C: MAIL FROM:<ann@example.com> requiretls
      S: 250...
      C: RCPT TO:<bob@example.com>
      S: 250...
      C: DATA
      S: 354...
      C: TLS-Required: No
      C:
      C: .
      S: 250...${ENVELOPE}
      C: BDAT 0 LAST
      S: 250...`);
    expect(server.delivery.delivered.map(({ envelope }) => envelope.parameters.requireTls)).toEqual([true, undefined]);
    expect(server.delivery.delivered[0]?.text).toContain('\r\nTLS-Required: No\r\n');
  });

  test('has no value, and occurs once', async () => {
    await play(`
      C: MAIL FROM:<ann@example.com> REQUIRETLS=YES
      S: 501 5.5.4 Syntax error in a parameter
      C: MAIL FROM:<ann@example.com> REQUIRETLS REQUIRETLS
      S: 501 5.5.4 Syntax error in the parameters
      C: MAIL FROM:<ann@example.com>
      S: 250...
      C: RCPT TO:<bob@example.com> REQUIRETLS
      S: 555...`);
  });

  test('without TLS is 550 5.7.30', async () => {
    await new Server({ allowAnonymous: true, authentication: 'optional' }).play(
      `${GREETED}
      C: MAIL FROM:<ann@example.com> REQUIRETLS
      S: 550 5.7.30 REQUIRETLS support required: this connection has no TLS
      C: MAIL FROM:<ann@example.com>
      S: 250...`,
      { tlsPolicy: 'offered' },
    );
  });

  test('is refused with the reply of a delivery that cannot pass it on', async () => {
    const refuse = (_path: unknown, { requireTls }: MailParameters): void => {
      if (requireTls) throw new Rejection(550, '5.7.30', 'REQUIRETLS support required');
    };
    await play(
      `\nC: MAIL FROM:<ann@example.com> REQUIRETLS\nS: 550 5.7.30 REQUIRETLS support required\nC: MAIL FROM:<ann@example.com>\nS: 250...`,
      {},
      ({ delivery }) => {
        delivery.onFrom = refuse;
      },
    );
  });
});

describe('LIMITS (RFC 9422)', () => {
  test('advertises the limits for recipients and for MAIL commands', async () => {
    expect((await offered()).get('LIMITS')).toBe('RCPTMAX=1000');
    expect((await offered({ limits: { maxRecipients: 20, maxTransactions: 5 } })).get('LIMITS')).toBe(
      'RCPTMAX=20 MAILMAX=5',
    );
    expect((await offered({ limits: { maxRecipients: 999_999 } })).get('LIMITS')).toBe('RCPTMAX=999999');
  });

  test('omits an infinite limit, and one of more than six digits', async () => {
    expect((await offered({ limits: { maxRecipients: 1_000_000 } })).has('LIMITS')).toBe(false);
    expect(
      (await offered({ limits: { maxRecipients: Number.POSITIVE_INFINITY, maxTransactions: 9 } })).get('LIMITS'),
    ).toBe('MAILMAX=9');
  });

  test('advertises the limit that is enforced: one more MAIL, refused or not, is 421', async () => {
    await play(
      `${ENVELOPE}
      C: BDAT 0 LAST
      S: 250...
      C: MAIL FROM:<ann@example.com> SIZE=nothing
      S: 501...
      C: MAIL FROM:<ann@example.com>
      S: 250...
      C: RSET
      S: 250...
      C: MAIL FROM:<ann@example.com>
      S: 421 4.7.0 Too many transactions on one connection
      S: <closed>`,
      { limits: { maxTransactions: 3 } },
    );
  });
});

describe('53: SIZE', () => {
  test('occurs once; a lack of space is for the delivery to refuse', async () => {
    await play(
      `
      C: MAIL FROM:<ann@example.com> SIZE=10 SIZE=10
      S: 501 5.5.4 Syntax error in the parameters
      C: MAIL FROM:<ann@example.com> SIZE=5000
      S: 452 4.3.1 Insufficient system storage
      C: MAIL FROM:<ann@example.com> SIZE=500
      S: 250...
      C: RCPT TO:<full@example.com>
      S: 452 4.2.2 Mailbox full
      C: RCPT TO:<small@example.com>
      S: 552 5.2.3 Message too large for this mailbox
      C: RCPT TO:<bob@example.com>
      S: 250...
      C: BDAT 0 LAST
      S: 250...`,
      {},
      ({ delivery }) => {
        delivery.onFrom = (_path, { size = 0 }) => {
          if (size > 1000) throw new Rejection(452, '4.3.1', 'Insufficient system storage');
        };
        delivery.onTo = ({ localPart }) => {
          if (localPart === 'full') throw new Rejection(452, '4.2.2', 'Mailbox full');
          if (localPart === 'small') throw new Rejection(552, '5.2.3', 'Message too large for this mailbox');
        };
      },
    );
  });
});

describe('a disabled extension', () => {
  test.each(optionalExtensions)('%s is not offered', async (keyword) => {
    expect((await offered()).has(keyword)).toBe(true);
    expect((await offered({ disabledExtensions: [keyword] })).has(keyword)).toBe(false);
  });

  test('is one of optionalExtensions: another word is an error in the options', () => {
    for (const omit of ['STARTTLS', 'dsn', '', 'toString']) {
      expect(() => new Server({ disabledExtensions: [omit as OptionalExtension] })).toThrow(
        new TypeError(
          `disabledExtensions: expected one of ${optionalExtensions.join(', ')}, not ${JSON.stringify(omit)}`,
        ),
      );
    }
  });

  test('is not accepted', async () => {
    const unknown = 'S: 555 5.5.4 Unknown parameter';
    await play(
      `
      C: MAIL FROM:<ann@example.com> SMTPUTF8
      ${unknown}
      C: MAIL FROM:<ann@example.com> REQUIRETLS
      ${unknown}
      C: MAIL FROM:<änn@example.com>
      S: 550 5.6.7...
      C: MAIL FROM:<ann@example.com> BODY=BINARYMIME
      S: 501 5.5.4 Syntax error in a parameter
      C: MAIL FROM:<ann@example.com> BODY=8BITMIME
      S: 250...`,
      { disabledExtensions: ['SMTPUTF8', 'REQUIRETLS', 'BINARYMIME'] },
    );
  });

  test('SMTPUTF8 removes UTF-8 from ORCPT, which has an ASCII form for it (RFC 6533 §3)', async () => {
    await play(
      `
      C: MAIL FROM:<ann@example.com>
      S: 250...
      C: RCPT TO:<bob@example.com> ORCPT=utf-8;b\\xc3\\xb6b@example.com
      S: 501 5.5.4 Syntax error in a parameter
      C: RCPT TO:<bob@example.com> ORCPT=utf-8;b\\\\x\\{F6}b@example.com
      S: 250...`,
      { disabledExtensions: ['SMTPUTF8'] },
    );
  });

  test('CHUNKING disables BINARYMIME too; BDAT is 502, and its octets are not commands', async () => {
    expect((await offered({ disabledExtensions: ['CHUNKING'] })).has('BINARYMIME')).toBe(false);
    await play(
      `${ENVELOPE}\nC: BDAT 6 LAST\nC: QUIT\nS: 502 5.5.1 Command not implemented\nC: DATA\nS: 354...\nC: .\nS: 250...`,
      {
        disabledExtensions: ['CHUNKING'],
      },
    );
  });
});
