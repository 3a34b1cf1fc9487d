import { libcrypt } from '@postern/crypt';
import { HashQueue } from '@postern/users';
import { afterAll, expect, it } from 'vitest';
import { readCorpus } from '../users/corpus/corpus.ts';
import { verify } from '../users/corpus/verify.ts';

// The default queue: a hash of 1 GiB runs alone.
const queue = new HashQueue();
const crypt = libcrypt();
afterAll(() => queue.close());

/** The texts that take too long for `test/users/corpus.test.ts`. */
const costly = Array.from(readCorpus().values()).flatMap(({ entries }) => entries.filter((entry) => entry.costly));

for (const { command, text, verdicts } of costly) {
  it(`lets in the passwords that the tool lets in: ${command}: ${text}`, async () => {
    for (const { password, accepted } of verdicts) {
      expect(await verify(text, password, queue, { crypt }), JSON.stringify(password)).toBe(accepted);
    }
  });
}
