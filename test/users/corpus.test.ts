import { libcrypt } from '@postern/crypt';
import { preparePassword } from '@postern/sasl';
import { HashQueue, parseSecret } from '@postern/users';
import { afterAll, describe, expect, it } from 'vitest';
import { type CorpusEntry, readCorpus } from './corpus/corpus.ts';
import { outcomeOf } from './corpus/outcome.ts';
import { verify } from './corpus/verify.ts';

const corpus = Array.from(readCorpus());
const options = { crypt: libcrypt(), allowWeak: true };
const queue = new HashQueue();
afterAll(() => queue.close());

it('has at least 80 texts of at least 10 tools', () => {
  expect(corpus.length).toBeGreaterThanOrEqual(10);
  expect(corpus.flatMap(([, { entries }]) => entries).length).toBeGreaterThanOrEqual(80);
});

describe.each(corpus)('%s', (tool, { entries }) => {
  for (const entry of entries.filter(({ costly }) => !costly)) {
    const { scheme, command, text } = entry;
    const title = `${scheme}: ${command}: ${text}`;
    const outcome = outcomeOf(tool, command);
    if (outcome === 'none') {
      it(`has no password: ${title}`, () => expect(parseSecret(text, options)).toEqual({ kind: 'none' }));
    } else if (outcome !== 'verified') {
      it(`has an error for the operator: ${title}`, () => {
        const error = expect.objectContaining({ name: 'SecretError', code: outcome });
        expect(() => parseSecret(text, options)).toThrow(error);
      });
    } else {
      it(`lets in the passwords that the tool lets in: ${title}`, async () => {
        for (const { password, accepted } of entry.verdicts) {
          const right = accepted || isPreparedAlike(entry, password);
          expect(await verify(text, password, queue, options), JSON.stringify(password)).toBe(right);
        }
      });
    }
  }
});

/**
 * Returns true if SASLprep turns the password into one that the tool lets in, and the text is a
 * SCRAM record: all clients of SCRAM prepare passwords, some tools do not.
 */
function isPreparedAlike({ text, verdicts }: CorpusEntry, password: string): boolean {
  if (parseSecret(text, options).kind !== 'scram') return false;
  const prepared = preparePassword(password);
  return verdicts.some((verdict) => verdict.accepted && verdict.password === prepared);
}
