import { type Envelope, Mailbox, printable } from '@postern/esmtp';
import fc from 'fast-check';
import { ConsoleDelivery } from 'postern';
import { describe, expect, it } from 'vitest';
import { decodeWords } from '../../packages/postern/src/console-delivery.ts';
import { anyCharacter } from '../support/any-character.ts';

describe('the summary of a message', () => {
  it('has envelope, size, subject and first lines', async () => {
    const text = 'Received: from x\r\nSubject: hello,\r\n world\r\nX: y\r\n\r\nOne\r\nTwo\r\n';
    expect(await summaryOf(text)).toBe(
      [
        'Message abc from <bob@example.org> to <ann@example.com>, <cyd@example.com>',
        '  sent by joe',
        '  Subject: hello, world',
        '  | One',
        '  | Two',
        '',
      ].join('\n'),
    );
  });

  it('is short for a long message', async () => {
    const text = `Subject: ${'long '.repeat(100)}\r\n\r\n${'line\r\n'.repeat(100_000)}`;
    const lines = (await summaryOf(text)).split('\n');
    expect(lines).toHaveLength(3 + 10 + 1 + 1);
    expect(lines.at(-2)).toBe('  | …');
    expect(Math.max(...lines.map(({ length }) => length))).toBe(161);
  });

  it('keeps lines of 160 characters and cuts longer ones', async () => {
    const [whole, cut] = ['x'.repeat(156), 'x'.repeat(157)];
    const lines = (await summaryOf(`\r\n${whole}\r\n${cut}\r\n`)).split('\n');
    expect(lines.slice(3, 5)).toEqual([`  | ${whole}`, `  | ${whole}…`]);
  });

  it('works for a message without header, without body, and for an empty one', async () => {
    expect(await summaryOf('')).toContain('sent by joe\n  Subject: \n');
    expect(await summaryOf('\r\nbody')).toContain('  Subject: \n  | body\n');
    expect(await summaryOf('Subject: x')).toMatch(/Subject: x\n$/);
  });

  it('copies from a chunk before `write` returns', async () => {
    let printed = '';
    const message = new ConsoleDelivery('joe', (text) => {
      printed += text;
      return Promise.resolve();
    }).openMessage(envelope);
    const chunk = Buffer.from('Subject: first');
    await message.write(chunk);
    chunk.fill('x');
    await message.end();
    expect(printed).toContain('Subject: first');
  });

  it('never contains a control sequence for a terminal', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: anyCharacter }), async (text) => {
        const printed = await summaryOf(`Subject: \u001b]0;owned\u0007${text}\r\n\r\n\u009b2J${text}`, text);
        expect(printed.replaceAll('\n', '')).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
      }),
    );
  });

  it('refuses the message if writing the summary fails', async () => {
    const message = new ConsoleDelivery('joe', () => Promise.reject(new Error('closed'))).openMessage(envelope);
    await expect(message.end()).rejects.toThrow('closed');
  });
});

describe('an encoded word', () => {
  it.each([
    ['=?UTF-8?B?SsO2cmc=?=', 'Jörg'],
    ['=?iso-8859-1?q?J=F6rg_M.?= here', 'Jörg M. here'],
    ['=?UTF-8?Q?a?= =?UTF-8?Q?b?=', 'ab'],
    ['=?UTF-8*de?Q?h=C3=BC?=', 'hü'],
    ['=?nothing?Q?a?=', '=?nothing?Q?a?='],
    ['plain', 'plain'],
  ])('decodes %s to %s', (text, expected) => {
    expect(decodeWords(text)).toBe(expected);
  });
});

describe('printable', () => {
  it('replaces control characters for a terminal', () => {
    expect(printable('a\u001b[2J\r\n\u009b\u202eb\ud800 ö 😀')).toBe('a\\x1b[2J\\x0d\\x0a\\x9b\\u202eb\\ud800 ö 😀');
    expect(printable('a\u00ad\u200b\u2028\u{e0041}')).toBe('a\\xad\\u200b\\u2028\\u{e0041}');
  });
});

const envelope: Envelope = {
  id: 'abc',
  reversePath: new Mailbox('bob', 'example.org'),
  parameters: { smtpUtf8: false },
  recipients: ['ann', 'cyd'].map((name) => ({ forwardPath: new Mailbox(name, 'example.com'), parameters: {} })),
};

async function summaryOf(text: string, sender = 'joe'): Promise<string> {
  let printed = '';
  const delivery = new ConsoleDelivery(sender, (more) => {
    printed += more;
    return Promise.resolve();
  });
  const message = delivery.openMessage(envelope);
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += 1000) await message.write(bytes.subarray(at, at + 1000));
  await message.end();
  return printed;
}
