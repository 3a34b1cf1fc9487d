import { LoginError } from '@postern/cred';
import { ExchangeError } from '@postern/sasl';
import { SaslError } from '@postern/sasl/client';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runs } from '../support/fuzz.ts';
import { family, run, type Side } from './family.ts';

/** One way to change one message of an exchange. */
interface Mutation {
  readonly message: number;
  readonly at: number;
  readonly how: 'flip' | 'delete' | 'insert' | 'truncate' | 'double' | 'empty' | 'replay' | 'swap';
  readonly byte: number;
}

const mutations: fc.Arbitrary<Mutation> = fc.record({
  message: fc.nat({ max: 5 }),
  at: fc.nat({ max: 400 }),
  how: fc.constantFrom('flip', 'flip', 'flip', 'delete', 'insert', 'truncate', 'double', 'empty', 'replay', 'swap'),
  byte: fc.integer({ min: 0, max: 255 }),
});

/**
 * Returns the changed message; `earlier` are the messages of an honest exchange before this one.
 */
function mutated(
  message: Uint8Array,
  { message: index, at, how, byte }: Mutation,
  earlier: readonly Uint8Array[],
): Uint8Array {
  if (how === 'replay') return earlier[index % earlier.length] ?? message;
  if (how === 'swap') return earlier[at % earlier.length] ?? message;
  const position = message.length === 0 ? 0 : at % message.length;
  const bytes = [...message];
  if (how === 'flip') bytes[position] = (bytes[position] ?? 0) ^ (byte || 1);
  if (how === 'delete') bytes.splice(position, 1);
  if (how === 'insert') bytes.splice(position, 0, byte);
  if (how === 'truncate') bytes.length = position;
  if (how === 'double') bytes.push(...message);
  if (how === 'empty') bytes.length = 0;
  return Uint8Array.from(bytes);
}

describe.each(family.map((pair) => ({ ...pair, name: pair.challenger.mechanism })))('$name', (pair) => {
  const { avatarId = 'tim', vital } = pair;

  it('logs the user in without an attacker', async () => {
    const { server, client } = await run(pair);
    expect(client).toEqual({});
    expect(server).toMatchObject({ login: { avatarId } });
  });

  it('logs no other user in, and rejects with its two errors only, after one to three changes', async () => {
    const honest = await run(pair);
    const earlier = honest.messages.map(({ bytes }) => bytes);
    await fc.assert(
      fc.asyncProperty(fc.array(mutations, { minLength: 1, maxLength: 3 }), async (list) => {
        const changed = new Set<Side>();
        const { server, client } = await run(pair, (message, index, from) => {
          const here = list.filter((mutation) => mutation.message % earlier.length === index);
          const bytes = here.reduce((changing, mutation) => mutated(changing, mutation, earlier), message);
          if (Buffer.compare(bytes, message) !== 0) changed.add(from);
          return bytes;
        });
        if ('error' in client) expect(client.error).toBeInstanceOf(SaslError);
        else expect(server).toHaveProperty('login');
        if ('error' in server) {
          expect(server.error).toSatisfy((error) => error instanceof ExchangeError || error instanceof LoginError);
          expect(server.error).not.toHaveProperty('code', 'temporary');
        } else {
          expect(server.login.avatarId).toBe(avatarId);
        }
        if (vital.some((side) => changed.has(side))) expect(server).toHaveProperty('error');
      }),
      { numRuns: runs(200) },
    );
  });
});
