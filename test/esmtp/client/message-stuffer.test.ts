import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MessageStuffer } from '../../../packages/esmtp/src/client/message-stuffer.ts';

function stuff(chunks: readonly Uint8Array[]): string {
  const stuffer = new MessageStuffer();
  const pieces = chunks.map((chunk) => stuffer.push(chunk));
  return Buffer.concat(pieces).toString('latin1') + stuffer.end();
}

describe('MessageStuffer', () => {
  it('does not depend on the split', () => {
    const text = fc.array(fc.constantFrom('.', '..', 'a', '\r\n', '\r\n.', '\r\n.\r\n')).map((parts) => parts.join(''));
    fc.assert(
      fc.property(text, fc.array(fc.nat(20)), (whole, cuts) => {
        const bytes = Buffer.from(whole);
        const chunks: Buffer[] = [];
        let at = 0;
        for (const cut of cuts) {
          chunks.push(bytes.subarray(at, at + cut));
          at += cut;
        }
        chunks.push(bytes.subarray(at));
        const lines = whole.split('\r\n');
        if (lines.at(-1) === '') lines.pop();
        const expected = [...lines.map((line) => line.replace(/^\./, '..')), '.', ''].join('\r\n');
        expect(stuff(chunks)).toBe(expected);
      }),
    );
  });

  it.each(['\n', 'a\nb', '\r', 'a\rb', '\r\r\n', 'a\n.\r\n'])('refuses the bare line ending in %j', (text) => {
    for (let at = 0; at <= text.length; at++) {
      const chunks = [text.slice(0, at), text.slice(at)].map((part) => Buffer.from(part));
      expect(() => stuff(chunks)).toThrow('outside a CRLF');
    }
  });

  it('refuses a NUL', () => {
    expect(() => stuff([Buffer.from('a\0b')])).toThrow('NUL');
  });

  it('returns the chunk itself if no line begins with a dot', () => {
    const chunk = Buffer.from('a.b\r\n');
    expect(new MessageStuffer().push(chunk)).toBe(chunk);
  });
});
