import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HeaderEditor } from '../../../packages/esmtp/src/message/header-editor.ts';
import { runs } from '../../support/fuzz.ts';

const TRACE = 'Received: R\r\n';
const FIELDS = { trace: Buffer.from(TRACE), date: () => 'Date: D', messageId: () => 'Message-ID: M' };

/** Returns the edited message. Copies the chunks: the editor overwrites them. */
function edit(chunks: readonly Buffer[], removeBcc: boolean, addsFields: boolean): string {
  const editor = new HeaderEditor(removeBcc, addsFields ? FIELDS : undefined);
  const written: string[] = [];
  for (const chunk of chunks) {
    const octets = editor.read(Buffer.from(chunk));
    const before = editor.holdsHeader ? editor.hold(octets) : undefined;
    if (!editor.holdsHeader) written.push(latin1(before ?? []), latin1(octets));
  }
  return written.join('') + latin1(editor.finish());
}

function latin1(octets: Uint8Array | readonly never[]): string {
  return Buffer.from(octets).toString('latin1');
}

function cut(text: string, cuts: readonly number[]): Buffer[] {
  const octets = Buffer.from(text, 'latin1');
  const places = [0, ...cuts.map((place) => place % (octets.length + 1)).toSorted((a, b) => a - b), octets.length];
  return places.slice(1).map((end, index) => octets.subarray(places[index], end));
}

function octets(text: string): Buffer[] {
  return [...Buffer.from(text, 'latin1')].map((octet) => Buffer.of(octet));
}

describe('HeaderEditor removes Bcc fields', () => {
  const line = fc.constantFrom(
    'Bcc: x',
    'BCC :y',
    'Resent-bcc:',
    'Subject: x',
    ' more',
    '\tmore',
    'bcc',
    'B',
    '',
    'r:',
    '.',
  );

  test('as a model that sees the whole message, for any lines and any chunks', () => {
    fc.assert(
      fc.property(fc.array(line, { maxLength: 12 }), fc.boolean(), fc.array(fc.nat(100)), (lines, ends, cuts) => {
        const text = lines.join('\r\n') + (ends ? '\r\n' : '');
        expect(edit(cut(text, cuts), true, false)).toBe(withoutBcc(text));
        expect(edit(octets(text), true, false)).toBe(withoutBcc(text));
      }),
      { numRuns: runs(2_000) },
    );
  });

  test('of any length, octet by octet', () => {
    const editor = new HeaderEditor(true, undefined);
    expect(editor.read(Buffer.from('Bcc: '))).toHaveLength(0);
    for (let count = 0; count < 100; count++) expect(editor.read(Buffer.alloc(10_000, 'x'))).toHaveLength(0);
    expect(latin1(editor.read(Buffer.from('x\r\n\r\nbody')))).toBe('\r\nbody');
  });

  test('and returns the chunk itself if it has none', () => {
    const editor = new HeaderEditor(true, undefined);
    for (const text of ['Subject: x\r\nTo: bob@example.com\r\n', '\r\nBcc: text\r\n', 'Bcc: text\r\n']) {
      const chunk = Buffer.from(text);
      expect(editor.read(chunk)).toBe(chunk);
    }
  });
});

describe('HeaderEditor adds missing fields', () => {
  const line = fc.constantFrom(
    'Date: x',
    'Message-ID: <x>',
    'Subject: x',
    ' more',
    'date',
    '',
    'body: no',
    'Received: x',
    '\xff',
    'Date : x',
  );

  test('before the message, which stays as it is, however it is split into chunks', () => {
    fc.assert(
      fc.property(
        fc.array(line, { maxLength: 8 }),
        fc.boolean(),
        fc.array(fc.nat(), { maxLength: 10 }),
        (lines, ended, cuts) => {
          const text = lines.join('\r\n') + (ended ? '\r\n' : '');
          const whole = edit([Buffer.from(text, 'latin1')], false, true);
          expect(edit(cut(text, cuts), false, true)).toBe(whole);
          expect(edit(octets(text), false, true)).toBe(whole);
          expect(whole.endsWith(text)).toBe(true);
          expect(whole.slice(0, whole.length - text.length)).toBe(addedTo(text));
        },
      ),
      { numRuns: runs(1_000) },
    );
  });

  test('to a header of at most 64 KiB: a longer header gets the trace only', () => {
    const editor = new HeaderEditor(false, FIELDS);
    const chunk = Buffer.from(`${'X-Filler: '.padEnd(1022, 'x')}\r\n`);
    let held = 0;
    let before: Buffer | undefined;
    while (before === undefined) {
      before = editor.hold(editor.read(chunk));
      if (before === undefined) held += chunk.length;
    }
    expect(held).toBe(64 * 1024);
    expect(before.toString()).toBe(TRACE + chunk.toString().repeat(64));
    expect(editor.bufferOctets).toBe(0);
  });

  test('and holds nothing back if the first chunk has both fields', () => {
    const editor = new HeaderEditor(false, FIELDS);
    const octets = editor.read(Buffer.from('Date: x\r\nMessage-ID: x\r\nSubject: x\r\n'));
    expect(editor.hold(octets)?.toString()).toBe(TRACE);
    expect(editor.bufferOctets).toBe(0);
  });

  test('to the header that is left when Bcc fields are removed', () => {
    const text = 'Bcc: a\r\nDate: x\r\nBcc: b\r\n c\r\nTo: d\r\n\r\nBcc: body\r\n';
    const expected = 'Received: R\r\nMessage-ID: M\r\nDate: x\r\nTo: d\r\n\r\nBcc: body\r\n';
    expect(edit([Buffer.from(text)], true, true)).toBe(expected);
    expect(edit(octets(text), true, true)).toBe(expected);
  });
});

/** Removes fields from a whole message. */
function withoutBcc(text: string): string {
  let rest = text;
  let kept = '';
  for (;;) {
    const name = /^([!-9;-~]+)[ \t]*:/.exec(rest)?.[1];
    if (name === undefined) return kept + rest;
    const lines = rest.split(/(?<=\r\n)/);
    let count = 1;
    while (count < lines.length && /^[ \t]/.test(lines[count] ?? '')) count++;
    if (!/^(?:resent-)?bcc$/i.test(name)) kept += lines.slice(0, count).join('');
    rest = lines.slice(count).join('');
  }
}

/** Returns the text that goes before a whole message. */
function addedTo(text: string): string {
  const header = /^(?:[!-9;-~]+[ \t]*:[^\n]*(?:\n[ \t][^\n]*)*(?:\n|$))*/.exec(text)?.[0] ?? '';
  const hasDate = /^date[ \t]*:/im.test(header);
  const hasMessageId = /^message-id[ \t]*:/im.test(header);
  const isText = header === '' && text !== '' && !text.startsWith('\r');
  if (hasDate && hasMessageId) return TRACE;
  const added = `${hasDate ? '' : 'Date: D\r\n'}${hasMessageId ? '' : 'Message-ID: M\r\n'}`;
  return `${TRACE}${added}${isText ? '\r\n' : ''}`;
}
