import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HeaderReader } from '../../../packages/esmtp/src/message/header-reader.ts';
import { LineLengths } from '../../../packages/esmtp/src/message/line-checks.ts';

interface Reading {
  /** The names of the fields, and the end of the header. */
  readonly lines: readonly string[];
  readonly received: number;
  readonly headerOctets: number | undefined;
  /** The octets that `read` and `end` returned. */
  readonly text: string;
}

function read(chunks: readonly Uint8Array[]): Reading {
  const lines: string[] = [];
  const text: string[] = [];
  const reader = new HeaderReader({
    field(octets, from, nameLength, valueFrom) {
      expect(octets[valueFrom - 1]).toBe(0x3a);
      lines.push(latin1(octets.subarray(from, from + nameLength)));
    },
    end(octets, from) {
      lines.push(from < octets.length ? `end at ${String.fromCharCode(octets[from] as number)}` : 'end of the message');
    },
  });
  for (const chunk of chunks) text.push(latin1(reader.read(chunk)));
  text.push(latin1(reader.end()));
  return { lines, received: reader.receivedFields, headerOctets: reader.headerOctets, text: text.join('') };
}

function latin1(octets: Uint8Array): string {
  return Buffer.from(octets).toString('latin1');
}

function cut(text: string, cuts: readonly number[]): Uint8Array[] {
  const octets = Buffer.from(text, 'latin1');
  const places = [0, ...cuts.map((place) => place % (octets.length + 1)).toSorted((a, b) => a - b), octets.length];
  return places.slice(1).map((end, index) => octets.subarray(places[index], end));
}

describe('HeaderReader', () => {
  test.each<[string, readonly string[]]>([
    ['', ['end of the message']],
    ['From: a\r\nTo: b\r\n\r\nbody: x\r\n', ['From', 'To', 'end at \r']],
    ['From: a\r\n b: c\r\n\td: e\r\nTo : f\r\n', ['From', 'To', 'end of the message']],
    ['text\r\nFrom: a\r\n', ['end at t']],
    [' From: a\r\nTo: b\r\n', ['end at  ']],
    ['\r\nFrom: a\r\n', ['end at \r']],
    ['\rFrom: a\r\n', ['end at \r']],
    ['From: a\r\n: b\r\nTo: c\r\n', ['From', 'end at :']],
    ['From: a\r\nT\u00f6: b\r\n', ['From', 'end at T']],
    ['From: a\nTo:', ['From', 'To', 'end of the message']],
    ['From: a\r\nTo', ['From', 'end at T']],
  ])('finds the fields and the end of %j', (text, lines) => {
    expect(read([Buffer.from(text, 'latin1')]).lines).toEqual(lines);
  });

  test.each<[string, number | undefined]>([
    ['', undefined],
    ['\r\nbody', 0],
    ['A: b\r\n\r\nbody', 6],
    ['A: b\r\ntext\r\n\r\nbody', 12],
    ['A: b\r\n', undefined],
    ['A: b\r\n\rtext\r\n\r', undefined],
  ])('returns the length of the header of %j as %o octets', (text, octets) => {
    expect(read([Buffer.from(text)]).headerOctets).toBe(octets);
    expect(read(cut(text, [1, 2, 3, 4, 5, 6, 7, 8, 9])).headerOctets).toBe(octets);
  });

  test.each([
    ['', 0],
    ['Received: a\r\n', 1],
    ['received:a\r\nRECEIVED: b\r\n\r\n', 2],
    ['Subject: x\r\nReceived: a\r\n\r\n', 1],
    ['X-Received: a\r\nReceived-SPF: b\r\nReceived : c\r\n Received: d\r\n\r\n', 0],
    ['A: b\r\n\r\nReceived: in the body\r\n', 0],
    ['\r\nReceived: in the body\r\n', 0],
    ['Received: a\r\n b\r\n\tReceived: c\r\nReceived: d', 2],
    ['Received', 0],
    ['Rec\r\nReceived: a\r\n', 1],
    ['text\r\nReceived', 0],
    ['[eceived: a\r\n2eceived: b\r\nReceived\x1a b\r\n', 0],
  ])('counts the Received fields of %j: %i', (text, fields) => {
    expect(read([Buffer.from(text, 'latin1')]).received).toBe(fields);
  });

  test('reads a message the same, however it is split into chunks', () => {
    const line = fc.constantFrom(
      'Received: a',
      'received:',
      'Rec',
      'Subject: Received:',
      ' folded',
      '',
      'x',
      'To : b',
      '\r',
      '\n',
    );
    fc.assert(
      fc.property(fc.array(line), fc.array(fc.nat()), (lines, cuts) => {
        const text = lines.map((text) => `${text}\r\n`).join('');
        const whole = read([Buffer.from(text)]);
        expect(whole.text).toBe(text);
        expect(read(cut(text, cuts))).toEqual(whole);
        expect(read(Array.from(text, (octet) => Buffer.from(octet)))).toEqual(whole);
        const header = text.startsWith('\r\n') ? '' : (/^.*?\n(?=\r\n)/s.exec(text)?.[0] ?? text);
        expect(whole.received).toBe(header.match(/(?<=^|\n)received:/gi)?.length ?? 0);
      }),
    );
  });

  test('returns the chunk itself if it ends with a line, and each chunk behind the header', () => {
    const reader = new HeaderReader();
    const header = Buffer.from('Subject: x\r\nTo: bob@example.com\r\n');
    expect(reader.read(header)).toBe(header);
    const rest = Buffer.from('\r\nBcc: text\r\n');
    expect(reader.read(rest)).toBe(rest);
    const body = Buffer.from('Bcc: text');
    expect(reader.read(body)).toBe(body);
  });

  test('holds back at most 998 octets of a name, with the blanks behind it', () => {
    for (const blanks of [994, 995, 996]) {
      const name = Buffer.from(`Bcc${' '.repeat(blanks)}`);
      const isField = blanks <= 995;
      expect(read([name, Buffer.from(':')]).lines[0]).toBe(isField ? 'Bcc' : 'end at B');
      expect(read([Buffer.concat([name, Buffer.from(':')])]).lines[0]).toBe(isField ? 'Bcc' : 'end at B');
    }
    const reader = new HeaderReader();
    const octets = Buffer.from(`Bcc${' '.repeat(2_000)}`);
    const returned = Array.from(octets, (octet) => reader.read(Buffer.of(octet)).length);
    expect(returned.reduce((sum, length) => sum + length, 0)).toBe(octets.length);
    expect(reader.end()).toHaveLength(0);
  });
});

describe('LineLengths', () => {
  test('finds a line that is too long, however the message is split into chunks', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(12)), fc.array(fc.nat()), (lengths, cuts) => {
        const text = lengths.map((length) => `${'x'.repeat(length)}\r\n`).join('');
        const lines = new LineLengths(10);
        for (const chunk of cut(text, cuts)) lines.push(chunk);
        return lines.isExceeded === lengths.some((length) => length > 10);
      }),
    );
  });
});
