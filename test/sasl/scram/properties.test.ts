import { InMemoryUsernamePasswordDatabaseDontUse, LoginError, UnauthorizedLogin } from '@postern/cred';
import { ExchangeError, SCRAM_HASHES, type ScramHash, saslprep, scram } from '@postern/sasl';
import { SaslError, scramResponder } from '@postern/sasl/client';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyCharacter } from '../../support/any-character.ts';
import { runs } from '../../support/fuzz.ts';
import { someChannel, someMind, someTls } from '../exchange.ts';
import { drive } from './drive.ts';

const HASHES = Object.keys(SCRAM_HASHES) as ScramHash[];
const TLS = someTls({ channelBinding: () => new Uint8Array(32).fill(1) });

/** Names and passwords that SCRAM can carry. */
const identity = fc.string({ unit: anyCharacter, minLength: 1, maxLength: 12 }).filter((text) => isPrepared(text));
const printable = fc.string({
  unit: fc.constantFrom('a', 'Z', '=', ',', '2', 'C', ' ', '\u00e4', '\u2168'),
  minLength: 1,
});

function isPrepared(text: string): boolean {
  const name = saslprep(text, 'query');
  // A prepared name that the server prepares again must not change.
  return saslprep(text, 'stored') !== undefined && name !== undefined && saslprep(name, 'query') === name;
}

describe.each(HASHES)('SCRAM with %s', (hash) => {
  const challenger = scram({ hash, iterations: 4096 });

  it('logs in each user with its password, and refuses another', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(identity, printable), fc.oneof(identity, printable), async (username, password) => {
        const name = saslprep(username, 'query') as string;
        const checker = new InMemoryUsernamePasswordDatabaseDontUse([[name, password]]);
        const right = scramResponder({ hash, username, password });
        expect(await drive({ challenger, checker, responder: right })).toMatchObject({
          server: name,
          client: undefined,
        });
        // SASLprep accepts a doubled password if it accepts the password. A different letter could
        // have the other direction (RFC 4013 §2.4).
        const wrong = scramResponder({ hash, username, password: password.repeat(2) });
        const refused = await drive({ challenger, checker, responder: wrong });
        expect(refused.server).toEqual({ error: new UnauthorizedLogin() });
      }),
      { numRuns: runs(15) },
    );
  });
});

/** A change at one place of a message, which never leaves the message as it was. */
const mutation = fc.record({
  kind: fc.constantFrom('replace', 'insert', 'delete', 'cut', 'repeat', 'flip'),
  at: fc.nat({ max: 300 }),
  byte: fc.oneof(fc.nat({ max: 255 }), fc.constantFrom(...Buffer.from('=,npyacrmive\0 0'))),
});

function mutate(message: Uint8Array, { kind, at, byte }: typeof mutation extends fc.Arbitrary<infer M> ? M : never) {
  const place = at % (message.length + (kind === 'insert' || message.length === 0 ? 1 : 0));
  const [before, here, after] = [
    message.subarray(0, place),
    message.subarray(place, place + 1),
    message.subarray(place + 1),
  ];
  switch (kind) {
    case 'replace':
      return Buffer.concat([before, Uint8Array.of(byte), after]);
    case 'flip':
      return Buffer.concat([before, here.map((one) => one ^ (1 << (byte % 8))), after]);
    case 'insert':
      return Buffer.concat([before, Uint8Array.of(byte), here, after]);
    case 'delete':
      return Buffer.concat([before, after]);
    case 'cut':
      return Buffer.from(before);
    default:
      return Buffer.concat([message, message]);
  }
}

describe.each([
  ['SCRAM-SHA-1', 'sha1', false],
  ['SCRAM-SHA-256', 'sha256', false],
  ['SCRAM-SHA-256-PLUS', 'sha256', true],
] as const)('one mutation of a message of %s', (_mechanism, hash, plus) => {
  it('never authenticates, and ends with an exchange error or a refusal', async () => {
    const checker = new InMemoryUsernamePasswordDatabaseDontUse({ 'j\u00f6e': 'pencil' });
    const challenger = scram({ hash, plus, plusOffered: !plus, iterations: 4096 });
    const responder = scramResponder({ hash, plus, username: 'j\u00f6e', password: 'pencil', authzid: 'j\u00f6e' });
    const channel = { ...someChannel, tls: TLS, offered: ['SCRAM-SHA-1-PLUS', 'SCRAM-SHA-256-PLUS'] };
    const honest = await drive({ challenger, checker, responder, channel, mind: someMind({ tls: TLS }) });
    expect(honest).toMatchObject({ server: 'j\u00f6e', client: undefined });
    expect(honest.dialogue).toHaveLength(5);

    await fc.assert(
      fc.asyncProperty(fc.nat({ max: 4 }), mutation, async (target, change) => {
        let changed = false;
        const tamper = (message: Uint8Array, index: number): Uint8Array => {
          if (index !== target) return message;
          const mutated = mutate(message, change);
          changed = !mutated.equals(message);
          return mutated;
        };
        const { server, client } = await drive({
          challenger,
          checker,
          responder,
          channel,
          tamper,
          mind: someMind({ tls: TLS }),
        });
        fc.pre(changed);
        const { error } = server as { readonly error: unknown };
        expect(error instanceof ExchangeError || error instanceof UnauthorizedLogin).toBe(true);
        expect(error instanceof LoginError ? error.code : '').not.toBe('temporary');
        expect(client?.error).toBeInstanceOf(SaslError);
      }),
      { numRuns: runs(1500) },
    );
  });
});
