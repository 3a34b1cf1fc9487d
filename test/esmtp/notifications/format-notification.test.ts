import { Mailbox, Reply } from '@postern/esmtp';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  formatNotification,
  type Outcome,
  type Report,
} from '../../../packages/esmtp/src/notifications/format-notification.ts';
import { anyCharacter } from '../../support/any-character.ts';
import { parseNotification, statusGroups } from './parse.ts';

const joe = new Mailbox('joe', 'example.com');
const eve = new Mailbox('eve', 'example.org');
const FULL = new Reply(552, '5.2.2', 'Mailbox full');

const failure: Outcome = {
  recipient: { forwardPath: eve, parameters: {} },
  action: 'failed',
  reply: FULL,
  host: undefined,
};

function report(outcomes: readonly Outcome[], header = 'Subject: hello\r\n', more: Partial<Report> = {}): Report {
  return {
    hostname: 'mx.example.com',
    envelope: {
      reversePath: joe,
      parameters: { smtpUtf8: false },
      recipients: outcomes.map(({ recipient }) => recipient),
      id: 'id1',
    },
    arrived: Date.UTC(2026, 0, 2, 3, 4, 5),
    now: Date.UTC(2026, 0, 2, 3, 4, 6),
    outcomes,
    returned: { header: Buffer.from(header, 'latin1') },
    ...more,
  };
}

function utf8Report(header: string, smtpUtf8 = true): Report {
  const plain = report([failure]);
  return {
    ...plain,
    envelope: { ...plain.envelope, parameters: { smtpUtf8 } },
    returned: { header: Buffer.from(header) },
  };
}

function parsed(of: Report, encoding: 'latin1' | 'utf8' = 'latin1') {
  const { content, ...facts } = formatNotification(of);
  const { parts, ...message } = parseNotification(content.toString(encoding));
  const [words, status, returned] = parts;
  return { ...facts, ...message, parts, words, returned, status, groups: statusGroups(status?.body ?? '') };
}

describe('a notification', () => {
  it('reports a failure in the form of RFC 3464 and RFC 6522', () => {
    const { content, id } = formatNotification(report([failure]));
    const [, boundary = ''] = /boundary="(.*)"/.exec(content.toString()) ?? [];
    expect(content.toString().replaceAll(boundary, 'BOUNDARY').replace(id, 'ID').split('\r\n')).toEqual([
      'From: Mail Delivery System <postmaster@mx.example.com>',
      'To: <joe@example.com>',
      'Subject: Delivery status notification (failure)',
      'Date: Fri, 02 Jan 2026 03:04:06 +0000',
      'Message-ID: <ID@mx.example.com>',
      'Auto-Submitted: auto-replied',
      'MIME-Version: 1.0',
      'Content-Type: multipart/report; report-type=delivery-status;',
      ' boundary="BOUNDARY"',
      'Content-Transfer-Encoding: 7bit',
      '',
      '--BOUNDARY',
      'Content-Type: text/plain; charset=us-ascii',
      'Content-Transfer-Encoding: 7bit',
      '',
      'This is the mail server mx.example.com.',
      '',
      'Your message could not be delivered to these recipients, and will not be tried again:',
      '',
      '  <eve@example.org>',
      '    552 5.2.2 Mailbox full',
      '',
      '',
      '--BOUNDARY',
      'Content-Type: message/delivery-status',
      'Content-Transfer-Encoding: 7bit',
      '',
      'Reporting-MTA: dns; mx.example.com',
      'Arrival-Date: Fri, 02 Jan 2026 03:04:05 +0000',
      '',
      'Final-Recipient: rfc822;eve@example.org',
      'Action: failed',
      'Status: 5.2.2',
      'Diagnostic-Code: smtp; 552 5.2.2 Mailbox full',
      '',
      '--BOUNDARY',
      'Content-Type: text/rfc822-headers',
      'Content-Transfer-Encoding: 7bit',
      '',
      'Subject: hello',
      '',
      '--BOUNDARY--',
      '',
    ]);
  });

  it('reports success, with the details of each recipient', () => {
    const [ann, bob] = [new Mailbox('ann', 'example.org'), new Mailbox('bob', 'example.net')];
    const relayed = new Reply(250, '2.6.0', 'First line', 'queued');
    const { fields, groups, words } = parsed(
      report([
        { recipient: { forwardPath: ann, parameters: {} }, action: 'delivered', reply: undefined, host: undefined },
        { recipient: { forwardPath: bob, parameters: {} }, action: 'relayed', reply: relayed, host: '[192.0.2.1]' },
      ]),
    );
    expect(fields.get('subject')).toBe('Delivery status notification (success)');
    expect(groups.slice(1).map((group) => Object.fromEntries(group))).toEqual([
      { 'final-recipient': 'rfc822;ann@example.org', action: 'delivered', status: '2.0.0' },
      {
        'final-recipient': 'rfc822;bob@example.net',
        action: 'relayed',
        status: '2.6.0',
        'remote-mta': 'dns; [192.0.2.1]',
        'diagnostic-code': 'smtp; 250-2.6.0 First line 250 2.6.0 queued',
      },
    ]);
    expect(words?.body).toMatch(
      /delivered to these recipients:\r\n\r\n {2}<ann@example.org>\r\n\r\nYour message has been passed on/,
    );
  });

  it('has a status if the reply has no enhanced code', () => {
    const outcome = { ...failure, reply: new Reply(451, undefined, 'Try again') };
    expect(parsed(report([outcome])).groups[1]?.get('status')).toBe('4.0.0');
  });

  it('has the decoded ENVID and ORCPT of the sender', () => {
    const { envelope, ...plain } = report([
      { ...failure, recipient: { forwardPath: eve, parameters: { orcpt: 'rfc822;eve+2Bnews@example.org' } } },
    ]);
    const [message, recipient] = parsed({
      ...plain,
      envelope: { ...envelope, parameters: { smtpUtf8: false, envid: 'QQ+20314' } },
    }).groups;
    expect(message?.get('original-envelope-id')).toBe('QQ 314');
    expect(recipient?.get('original-recipient')).toBe('rfc822;eve+news@example.org');
  });

  it.each([
    ['localhost', 'x-local-hostname; localhost'],
    ['[192.0.2.1]', 'x-local-hostname; [192.0.2.1]'],
  ])('does not name %s as a DNS name', (hostname, mta) => {
    expect(parsed(report([failure], '', { hostname })).groups[0]?.get('reporting-mta')).toBe(mta);
  });

  it('leaves out a value that is longer than a line', () => {
    const orcpt = `rfc822;${'x'.repeat(1000)}`;
    const { groups } = parsed(report([{ ...failure, recipient: { forwardPath: eve, parameters: { orcpt } } }]));
    expect(groups[1]?.has('original-recipient')).toBe(false);
  });

  it('has no third part if there is nothing to return', () => {
    expect(parsed(report([failure], '')).parts).toHaveLength(2);
  });

  it.each([
    ['8-bit text', 'Subject: gr\xfc\xdfe \r\n', 'Subject: gr=FC=DFe=20\r\n'],
    ['stray line ends', 'a: b\nc: d\re\0\r\n', 'a: b=0Ac: d=0De=00\r\n'],
    ['long lines', `ab: ${'='.repeat(999)}\r\n`, `ab: ${'=3D'.repeat(999)}\r\n`],
  ])('encodes a header with %s', (_, header, expected) => {
    const { returned, smtpUtf8, fields } = parsed(report([failure], header));
    expect(returned?.fields.get('content-type')).toBe('text/rfc822-headers');
    expect(returned?.fields.get('content-transfer-encoding')).toBe('quoted-printable');
    expect(returned?.body.replaceAll('=\r\n', '')).toBe(expected);
    // No line ends in the middle of an octet.
    expect(returned?.body).not.toMatch(/=.?=\r\n/);
    expect(Math.max(...(returned?.body.split('\r\n') ?? []).map(({ length }) => length))).toBeLessThanOrEqual(76);
    expect(smtpUtf8).toBe(false);
    expect(fields.get('content-transfer-encoding')).toBe('7bit');
  });

  it.each([
    ['Subject: hi\r\n\r\nhello\r\n', '7bit'],
    ['Subject: hi\r\n\r\ngr\xfc\xdfe\r\n', '8bit'],
  ])('returns the whole message unchanged', (all, encoding) => {
    const returned = { header: Buffer.from('Subject: hi\r\n'), message: Buffer.from(all, 'latin1') };
    const { returned: part, fields } = parsed(report([failure], '', { returned }));
    expect(Object.fromEntries(part?.fields ?? [])).toEqual({
      'content-type': 'message/rfc822',
      'content-transfer-encoding': encoding,
    });
    expect(part?.body).toBe(all);
    expect(fields.get('content-transfer-encoding')).toBe(encoding);
  });

  it.each(['Subject: hi\r\n\r\nhel\nlo', `Subject: hi\r\n\r\n${'x'.repeat(999)}`, 'Subject: hi\r\n\r\n\0'])(
    'returns only the header of a message that cannot go as it is',
    (all) => {
      const returned = { header: Buffer.from('Subject: hi\r\n'), message: Buffer.from(all) };
      expect(parsed(report([failure], '', { returned })).returned?.body).toBe('Subject: hi\r\n');
    },
  );

  it('returns only the header with a success', () => {
    const returned = { header: Buffer.from('Subject: hi\r\n'), message: Buffer.from('Subject: hi\r\n\r\nhello\r\n') };
    const success = { ...failure, action: 'delivered', reply: undefined } as const;
    expect(parsed(report([success], '', { returned })).returned?.body).toBe('Subject: hi\r\n');
  });
});

describe('a notification with UTF-8 (RFC 6533)', () => {
  const zoe = new Mailbox('zo\u00eb', 'example.org');

  it('has addresses in UTF-8', () => {
    const parameters = { orcpt: 'utf-8;Zo\\x{EB}@example.org' };
    const { smtpUtf8, status, groups, words } = parsed(
      report([{ ...failure, recipient: { forwardPath: zoe, parameters } }]),
      'utf8',
    );
    expect(smtpUtf8).toBe(true);
    expect(status?.fields.get('content-type')).toBe('message/global-delivery-status');
    expect(status?.fields.get('content-transfer-encoding')).toBe('8bit');
    expect(groups[1]?.get('final-recipient')).toBe('utf-8;zo\u00eb@example.org');
    expect(groups[1]?.get('original-recipient')).toBe('utf-8;Zo\u00eb@example.org');
    expect(words?.fields.get('content-type')).toBe('text/plain; charset=utf-8');
  });

  it('leaves an original recipient unchanged that is not an address', () => {
    const parameters = { orcpt: 'utf-8;Zo\\x{11}@example.org' };
    const { groups } = parsed(report([{ ...failure, recipient: { forwardPath: zoe, parameters } }]), 'utf8');
    expect(groups[1]?.get('original-recipient')).toBe('utf-8;Zo\\x{11}@example.org');
  });

  it("needs more UTF-8 than an original recipient's", () => {
    const parameters = { orcpt: 'utf-8;Zo\u00eb@example.org' };
    const { smtpUtf8, groups } = parsed(report([{ ...failure, recipient: { forwardPath: eve, parameters } }]));
    expect(smtpUtf8).toBe(false);
    expect(groups[1]?.get('original-recipient')).toBe('utf-8;Zo\\x{EB}@example.org');
  });

  it.each([
    ['Subject: gr\u00fc\u00dfe\r\n', 'message/global-headers', true],
    ['Subject: hello\r\n', 'text/rfc822-headers', false],
  ])('returns the header %j as %s', (header, type, utf8) => {
    const { returned, smtpUtf8 } = parsed(utf8Report(header), 'utf8');
    expect(returned?.fields.get('content-type')).toBe(type);
    expect(returned?.body).toBe(header);
    expect(smtpUtf8).toBe(utf8);
  });

  it('returns a whole message with such a header as message/global', () => {
    const all = Buffer.from('Subject: gr\u00fc\u00dfe\r\n\r\nhello\r\n');
    const { returned } = parsed({ ...utf8Report(''), returned: { header: all.subarray(0, -9), message: all } }, 'utf8');
    expect(returned?.fields.get('content-type')).toBe('message/global');
    expect(returned?.body).toBe(all.toString());
  });

  it('needs an SMTPUTF8 message', () => {
    const { returned, smtpUtf8 } = parsed(utf8Report('Subject: gr\u00fc\u00dfe\r\n', false));
    expect(smtpUtf8).toBe(false);
    expect(returned?.fields.get('content-transfer-encoding')).toBe('quoted-printable');
  });
});

describe('for any envelope and message', () => {
  const anything = fc.oneof(
    fc.string({ unit: anyCharacter, maxLength: 40 }),
    fc
      .array(fc.constantFrom('\r\n', '\r', '\n', ' ', 'X-Evil: yes', '--', '+0D+0A', '\\x{0A}', '\u2028', 'a@b'))
      .map((all) => all.join('')),
    fc.string({ minLength: 900, maxLength: 1200 }),
  );
  const mailbox = fc.tuple(anything, anything).map(([local, domain]) => new Mailbox(local, domain));
  const octets = fc.oneof(
    fc.uint8Array({ maxLength: 300 }).map((all) => Buffer.from(all)),
    anything.map((all) => Buffer.from(all)),
  );
  const reply = fc.array(anything, { maxLength: 8 }).map((lines) => new Reply(550, '5.0.0', ...lines));
  const outcome = fc.record({
    recipient: fc.record({
      forwardPath: mailbox,
      parameters: fc.record({
        orcpt: fc.oneof(
          anything,
          anything.map((all) => `rfc822;${all}`),
          anything.map((all) => `utf-8;${all}`),
        ),
      }),
    }),
    action: fc.constantFrom('failed', 'delivered', 'relayed'),
    reply: fc.option(
      fc.oneof(
        reply,
        reply.map((one) => one.inUtf8()),
      ),
      { nil: undefined },
    ),
    host: fc.option(anything, { nil: undefined }),
  });
  const anyReport = fc.record({
    hostname: anything,
    envelope: fc.record({
      reversePath: mailbox,
      parameters: fc.record({ smtpUtf8: fc.boolean(), envid: anything }),
      recipients: fc.constant([]),
      id: fc.constant('id1'),
    }),
    arrived: fc.constant(0),
    now: fc.constant(0),
    outcomes: fc.array(outcome, { minLength: 1, maxLength: 4 }),
    returned: fc.record({ header: octets, message: fc.option(octets, { nil: undefined }) }),
  });

  it('a notification has the fields and parts of this server, and no others', () => {
    fc.assert(
      fc.property(anyReport, (any) => {
        const { fields, groups, parts, status, smtpUtf8 } = parsed(any);
        expect([...fields.keys()]).toEqual([
          'from',
          'to',
          'subject',
          'date',
          'message-id',
          'auto-submitted',
          'mime-version',
          'content-type',
          'content-transfer-encoding',
        ]);
        expect(parts.length).toBeLessThanOrEqual(3);
        expect(groups).toHaveLength(any.outcomes.length + 1);
        for (const [at, { action }] of any.outcomes.entries()) expect(groups[at + 1]?.get('action')).toBe(action);
        const known =
          /^(original-envelope-id|reporting-mta|arrival-date|original-recipient|final-recipient|action|status|remote-mta|diagnostic-code)$/;
        for (const group of groups) for (const name of group.keys()) expect(name).toMatch(known);
        const isAscii = /^[\t\r\n -~]*$/;
        if (!smtpUtf8) expect(`${[...fields.values()].join('')}${status?.body}`).toMatch(isAscii);
      }),
    );
  });
});
