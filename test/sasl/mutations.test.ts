import {
  ANONYMOUS,
  AnonymousChecker,
  type AvatarId,
  type Checker,
  LoginError,
  type Portal,
  UnauthorizedLogin,
} from '@postern/cred';
import {
  anonymous,
  BearerToken,
  type Challenger,
  cramMd5,
  digestMd5,
  ExchangeError,
  ExternalIdentity,
  external,
  login,
  oauthBearer,
  plain,
  SCRAM_HASHES,
  type ScramHash,
  scram,
  xoauth2,
} from '@postern/sasl';
import {
  anonymousResponder,
  cramMd5Responder,
  digestMd5Responder,
  externalResponder,
  loginResponder,
  oauthBearerResponder,
  plainResponder,
  type Responder,
  SaslError,
  scramResponder,
  xoauth2Responder,
} from '@postern/sasl/client';
import { HashedToken, ht, htResponder } from '@postern/sasl/experimental';
import { exchange, portalFor } from '@postern/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runs } from '../support/fuzz.ts';
import { someCertificate, someMind, someTls } from './exchange.ts';

type Side = 'client' | 'server';

interface Pair {
  readonly challenger: Challenger;
  readonly responder: Responder;
  /**
   * Whose messages it depends on, to the last byte, that the client is authenticated. What is left out may change without harm:
   * LOGIN's prompts, a trace, the case of a directive.
   */
  readonly vital: readonly Side[];
  /** The version of TLS. Default: 1.3. */
  readonly version?: string;
  /** Who is authenticated. Default: tim. */
  readonly avatarId?: AvatarId;
}

const tim = { username: 'tim', password: 'tanstaaftanstaaf' };
const TOKEN = 'ya29.token';
const BOTH: readonly Side[] = ['client', 'server'];
const HTTOKEN = Buffer.from(TOKEN);

const hostname = 'mail.example.com';

/** The one table: a new mechanism adds a line. */
const family: readonly Pair[] = [
  { challenger: plain(), responder: plainResponder(tim), vital: BOTH },
  { challenger: plain(), responder: plainResponder({ ...tim, authzid: 'tim' }), vital: [] },
  { challenger: login(), responder: loginResponder(tim), vital: ['client'] },
  { challenger: cramMd5({ hostname }), responder: cramMd5Responder(tim), vital: BOTH },
  {
    challenger: digestMd5({ realm: hostname }),
    responder: digestMd5Responder({ ...tim, service: 'smtp', host: hostname }),
    vital: [],
  },
  ...(Object.keys(SCRAM_HASHES) as ScramHash[]).flatMap((hash) =>
    [false, true].map((plus) => ({
      challenger: scram({ hash, plus, iterations: 4096 }),
      responder: scramResponder({ ...tim, hash, plus, authzid: plus ? 'tim' : undefined }),
      vital: BOTH,
    })),
  ),
  { challenger: oauthBearer(), responder: oauthBearerResponder({ token: TOKEN, authzid: 'tim' }), vital: [] },
  { challenger: xoauth2(), responder: xoauth2Responder({ token: TOKEN, username: 'tim' }), vital: [] },
  { challenger: external(), responder: externalResponder({ authzid: 'tim' }), vital: [] },
  { challenger: anonymous(), responder: anonymousResponder({ trace: 'sirhc' }), vital: [], avatarId: ANONYMOUS },
  ...(['NONE', 'ENDP', 'EXPR', 'UNIQ'] as const).map((binding) => ({
    challenger: ht({ binding }),
    responder: htResponder({ username: 'tim', token: HTTOKEN, binding }),
    vital: BOTH,
    version: binding === 'UNIQ' ? 'TLSv1.2' : 'TLSv1.3',
  })),
];

const oauth: Checker<BearerToken> = {
  credentialInterfaces: [BearerToken],
  requestAvatarId: ({ token }) => timIf(token === TOKEN),
};
const certificates: Checker<ExternalIdentity> = {
  credentialInterfaces: [ExternalIdentity],
  requestAvatarId: ({ certificate }) => timIf(certificate.verified),
};
const hashedTokens: Checker<HashedToken> = {
  credentialInterfaces: [HashedToken],
  requestAvatarId: (credentials) => timIf(credentials.username === 'tim' && credentials.checkToken(HTTOKEN)),
};

function timIf(right: boolean): AvatarId {
  if (!right) throw new UnauthorizedLogin();
  return 'tim';
}

function portal(): Portal {
  return portalFor({ [tim.username]: tim.password })
    .register(new AnonymousChecker())
    .register(oauth)
    .register(certificates)
    .register(hashedTokens);
}

function tlsOf(version = 'TLSv1.3') {
  return someTls({ version, peerCertificate: someCertificate(), channelBinding: (type) => Buffer.from(type) });
}

async function run(
  { challenger, responder, version }: Pair,
  tamper?: (message: Uint8Array, index: number) => Uint8Array,
) {
  const tls = tlsOf(version);
  const record = await exchange(challenger, responder, {
    portal: portal(),
    mind: someMind({ tls }),
    channel: { tls },
    ...(tamper && { tamper }),
  });
  if ('login' in record.server) await record.server.login.logout();
  return record;
}

/** One way to change one message. */
interface Mutation {
  readonly message: number;
  readonly at: number;
  readonly how: 'flip' | 'delete' | 'insert' | 'truncate' | 'double' | 'empty';
  readonly byte: number;
}

const mutations: fc.Arbitrary<Mutation> = fc.record({
  message: fc.nat({ max: 5 }),
  at: fc.nat({ max: 400 }),
  how: fc.constantFrom('flip', 'flip', 'flip', 'delete', 'insert', 'truncate', 'double', 'empty'),
  byte: fc.integer({ min: 0, max: 255 }),
});

function mutated(message: Uint8Array, { at, how, byte }: Mutation): Uint8Array {
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

  it('authenticates when nobody interferes', async () => {
    const { server, client } = await run(pair);
    expect(client).toEqual({});
    expect(server).toMatchObject({ login: { avatarId } });
  });

  it('is harmed by no change to one message: nobody is let in, or nobody else, and nothing but the two errors comes of it', async () => {
    const honest = await run(pair);
    await fc.assert(
      fc.asyncProperty(mutations, async (mutation) => {
        const target = mutation.message % honest.messages.length;
        let changed: Side | undefined;
        const { server, client } = await run(pair, (message, index) => {
          if (index !== target) return message;
          const bytes = mutated(message, mutation);
          if (Buffer.compare(bytes, message) !== 0) changed = honest.messages[index]?.from;
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
        if (changed !== undefined && vital.includes(changed)) expect(server).toHaveProperty('error');
      }),
      { numRuns: runs(200) },
    );
  });
});
