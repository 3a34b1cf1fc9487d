import { Conversation } from '@postern/conversation';
import { hearStrings, quote, Refusal, readStrings, type StringRules } from '@postern/sasl-profile';
import { type MemoryPipeOptions, memoryPipe } from '@postern/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

describe('hearStrings', () => {
  test('returns the strings in whatever form and slicing they come', async () => {
    const octets = fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)) });
    const form = fc.constantFrom<Form>('atom', 'quoted', 'literal', 'unasked literal');
    const strings = fc.array(fc.tuple(octets, form), { minLength: 1, maxLength: 4 });
    const chunks = fc.constantFrom<NonNullable<MemoryPipeOptions['chunks']>>('whole', 'octets', { seed: 5 });
    await fc.assert(
      fc.asyncProperty(strings, chunks, async (list, slicing) => {
        const { client, server } = memoryPipe({ chunks: slicing });
        const sent = list.map(([text, wanted]) => formatted(text, wanted)).join(' ');
        void client.write(Buffer.from(`${sent}\r\nnext\r\n`, 'latin1'));
        const conversation = new Conversation(server);
        const line = (await conversation.hearLine(10_000)) ?? '';
        const heard = await hearStrings(conversation, line, [1, 4], RULES);
        expect(heard).toEqual(list.map(([text]) => text));
        expect(await conversation.hearLine(100)).toBe('next');
      }),
      { numRuns: 100 },
    );
  });

  test('reading a line takes time linear in its length', () => {
    const n = 100_000;
    const atoms = 'a '.repeat(n);
    expect(readStrings(`${atoms}a`, false, true)?.strings).toHaveLength(n + 1);
    expect(readStrings(`${atoms}"${'{11'.repeat(n)}"`, false, true)?.strings).toHaveLength(n + 1);
    expect(readStrings(`${atoms}{7}`, false, true)?.literal).toEqual({ octets: 7, isSynchronizing: true });
  });

  test('fails only with a Refusal for any line, and leaves the next command in place', async () => {
    const character = fc.constantFrom(...Array.from('{}"\\ +3ab()*%]\0\x7fé'));
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: character, maxLength: 20 }), async (line) => {
        const { client, server } = memoryPipe();
        void client.write(Buffer.from('abc\r\nnext\r\n', 'latin1'));
        client.end();
        const conversation = new Conversation(server);
        const outcome = await hearStrings(conversation, line, [1, 2], RULES).catch((error: unknown) => error);
        if (outcome instanceof Refusal) expect(['invalid', 'too big', 'too big\r\nbye']).toContain(outcome.reply);
        else expect((outcome as readonly string[]).length).toBeLessThanOrEqual(2);
      }),
      { numRuns: 300 },
    );
  });
});

describe('readStrings', () => {
  test.each([
    '',
    ' a',
    'a ',
    'a  b',
    '"a',
    'a"b"',
    '"a\\b"',
    '{3}a',
    '{3',
    'a{3}',
    '(a)',
    'a*',
    '"\r"',
    '{99999999999999999999999}',
  ])('refuses %j', (text) => {
    expect(readStrings(text, false, true)).toBeUndefined();
  });

  test('returns the literal that ends a line', () => {
    const literal = { octets: 3, isSynchronizing: false };
    expect(readStrings('a "b" {3+}', false, true)).toEqual({ strings: ['a', 'b'], literal });
    expect(readStrings(' {3+}', true, true)).toEqual({ strings: [], literal });
    expect(readStrings('', true, true)).toEqual({ strings: [], literal: undefined });
    expect(readStrings('a', false, false)).toBeUndefined();
  });

  test('reads what quote writes', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const quoted = quote(text);
        fc.pre(quoted !== undefined);
        expect(readStrings(quoted ?? '', false, false)?.strings).toEqual([text]);
      }),
    );
    expect(quote('é')).toBeUndefined();
  });
});

/** Formats a text in the wanted form, or as a literal if the form cannot hold it. */
function formatted(text: string, form: Form): string {
  if (form === 'atom' && /^[A-Za-z0-9.\]]+$/.test(text)) return text;
  if (form === 'quoted' && /^[^\r\n\0]*$/.test(text)) return `"${text.replace(/["\\]/g, '\\$&')}"`;
  return `{${text.length}${form === 'literal' ? '' : '+'}}\r\n${text}`;
}

type Form = 'atom' | 'quoted' | 'literal' | 'unasked literal';

const RULES: StringRules = {
  maxLine: 10_000,
  maxLiteral: 1_000,
  hasAtoms: true,
  continuation: '+ OK',
  invalid: 'invalid',
  tooBig: 'too big',
  closingReply: 'bye',
};
