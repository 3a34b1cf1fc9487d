import {
  ANONYMOUS,
  AnonymousChecker,
  type AvatarId,
  type Checker,
  type Portal,
  UnauthorizedLogin,
} from '@postern/cred';
import {
  anonymous,
  BearerToken,
  type Challenger,
  cramMd5,
  digestMd5,
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
  scramResponder,
  xoauth2Responder,
} from '@postern/sasl/client';
import { HashedToken, ht, htResponder } from '@postern/sasl/experimental';
import { type ExchangeRecord, exchange, portalFor } from '@postern/testing';
import { someCertificate, someMind, someTls } from './exchange.ts';

export type Side = 'client' | 'server';

/** Both halves of a mechanism, and what an attacker can do to their exchange. */
export interface Pair {
  readonly challenger: Challenger;
  readonly responder: Responder;
  /**
   * The sides of which each octet of each message decides about the login. Other octets may change
   * without harm: LOGIN's prompts, a trace, the case of a directive.
   */
  readonly vital: readonly Side[];
  /** True if the client's messages log in once more: nothing of the server's goes into them. */
  readonly isReplayable: boolean;
  /** The version of TLS. Default: 1.3. */
  readonly version?: string;
  /** The avatar id of the login. Default: tim. */
  readonly avatarId?: AvatarId;
}

const tim = { username: 'tim', password: 'tanstaaftanstaaf' };
const TOKEN = 'ya29.token';
const BOTH: readonly Side[] = ['client', 'server'];
const HTTOKEN = Buffer.from(TOKEN);

const hostname = 'mail.example.com';

/** The table of mechanisms for attacks on exchanges. A new mechanism adds a row. */
export const family: readonly Pair[] = [
  { challenger: plain(), responder: plainResponder(tim), isReplayable: true, vital: BOTH },
  { challenger: plain(), responder: plainResponder({ ...tim, authzid: 'tim' }), isReplayable: true, vital: [] },
  { challenger: login(), responder: loginResponder(tim), isReplayable: true, vital: ['client'] },
  { challenger: cramMd5({ hostname }), responder: cramMd5Responder(tim), isReplayable: false, vital: BOTH },
  {
    challenger: digestMd5({ realm: hostname }),
    responder: digestMd5Responder({ ...tim, service: 'smtp', host: hostname }),
    isReplayable: false,
    vital: [],
  },
  ...(Object.keys(SCRAM_HASHES) as ScramHash[]).flatMap((hash) =>
    [false, true].map((plus) => ({
      challenger: scram({ hash, plus, iterations: 4096 }),
      responder: scramResponder({ ...tim, hash, plus, authzid: plus ? 'tim' : undefined }),
      isReplayable: false,
      vital: BOTH,
    })),
  ),
  {
    challenger: oauthBearer(),
    responder: oauthBearerResponder({ token: TOKEN, authzid: 'tim' }),
    isReplayable: true,
    vital: [],
  },
  {
    challenger: xoauth2(),
    responder: xoauth2Responder({ token: TOKEN, username: 'tim' }),
    isReplayable: true,
    vital: [],
  },
  { challenger: external(), responder: externalResponder({ authzid: 'tim' }), isReplayable: true, vital: [] },
  {
    challenger: anonymous(),
    responder: anonymousResponder({ trace: 'sirhc' }),
    isReplayable: true,
    vital: [],
    avatarId: ANONYMOUS,
  },
  ...(['NONE', 'ENDP', 'EXPR', 'UNIQ'] as const).map((binding) => ({
    challenger: ht({ binding }),
    responder: htResponder({ username: 'tim', token: HTTOKEN, binding }),
    isReplayable: binding === 'NONE' || binding === 'ENDP',
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

/** The connections to one server differ in all channel bindings but its certificate's. */
function tlsOf(version = 'TLSv1.3', connection: number) {
  return someTls({
    version,
    peerCertificate: someCertificate(),
    channelBinding: (type) => Buffer.from(type === 'tls-server-end-point' ? type : `${type} ${connection}`),
  });
}

/** Runs an exchange of the pair over the TLS connection of this number, and logs out. */
export async function run(
  { challenger, responder, version }: Pair,
  tamper?: (message: Uint8Array, index: number, from: Side) => Uint8Array,
  connection = 0,
): Promise<ExchangeRecord> {
  const tls = tlsOf(version, connection);
  const record = await exchange(challenger, responder, {
    portal: portal(),
    mind: someMind({ tls }),
    channel: { tls },
    ...(tamper && { tamper }),
  });
  if ('login' in record.server) await record.server.login.logout();
  return record;
}
