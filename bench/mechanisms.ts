import { timingSafeEqual } from 'node:crypto';
import {
  AnonymousChecker,
  AvatarRealm,
  type Checker,
  type Credentials,
  InMemoryUsernamePasswordDatabaseDontUse,
  type Interface,
  type MaybePromise,
  type PasswordProof,
  Portal,
  type TlsInfo,
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
  SCRAM_CREDENTIALS,
  SCRAM_HASHES,
  type ScramCredentials,
  type ScramHash,
  ScramSecret,
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
import { HashedToken, type HtBinding, ht, htResponder } from '@postern/sasl/experimental';
import { password, username } from './account.ts';
import { type Bare, bareComparison, bareCramMd5, bareDigestMd5, bareHashedToken, bareScram } from './bare.ts';
import { plainly } from './hmac.ts';
import { tlsOf } from './mind.ts';

/** A mechanism under measurement. */
export interface Mechanism {
  readonly challenger: Challenger;
  readonly responder: Responder;
  /** A portal with a checker for its credentials, and a realm that provides a Door. */
  readonly portal: Portal;
  /** The work of a checker, without portal and realm. */
  readonly verify: (credentials: Credentials) => MaybePromise<boolean>;
  /** The hashes and HMACs of one verification; undefined for a mechanism that computes nothing. */
  readonly bare?: Bare;
  /** The connection's TLS. Default: none. */
  readonly tls?: TlsInfo;
}

/** The avatar, which does nothing. */
export class Door {}

export async function mechanisms(): Promise<readonly Mechanism[]> {
  const userPassword = { username, password };
  const host = 'mail.example.com';
  return [
    passwordMechanism(plain(), plainResponder(userPassword), bareComparison(password)),
    passwordMechanism(login(), loginResponder(userPassword), bareComparison(password)),
    passwordMechanism(cramMd5({ hostname: host, nonce }), cramMd5Responder(userPassword), bareCramMd5()),
    passwordMechanism(
      digestMd5({ realm: host, nonce }),
      digestMd5Responder({ ...userPassword, service: 'smtp', host, nonce }),
      bareDigestMd5(),
    ),
    ...(await Promise.all((Object.keys(SCRAM_HASHES) as ScramHash[]).map(scramMechanism))),
    tokenMechanism(oauthBearer(), oauthBearerResponder({ token, host, port: 587 })),
    tokenMechanism(xoauth2(), xoauth2Responder({ username, token })),
    ...(['NONE', 'ENDP', 'EXPR', 'UNIQ'] as const).map(hashedTokenMechanism),
    {
      challenger: external(),
      responder: externalResponder(),
      ...checked(ExternalIdentity, ({ certificate }) => certificate.subject === `CN=${username}`),
      tls: tlsOf('TLSv1.3'),
    },
    {
      challenger: anonymous(),
      responder: anonymousResponder(),
      portal: portalWith(new AnonymousChecker()),
      verify: () => true,
    },
  ];
}

function passwordMechanism(challenger: Challenger, responder: Responder, bare: Bare): Mechanism {
  return {
    challenger,
    responder,
    portal: portalWith(new InMemoryUsernamePasswordDatabaseDontUse([[username, password]])),
    verify: (credentials) => (credentials as PasswordProof).checkPassword(password),
    bare,
  };
}

async function scramMechanism(algorithm: ScramHash): Promise<Mechanism> {
  const secret = await ScramSecret.derive(password, { hash: algorithm, iterations: 4096 });
  return {
    challenger: scram({ hash: algorithm, nonce }),
    responder: scramResponder({ hash: algorithm, username, password, nonce }),
    ...checked<ScramCredentials>(SCRAM_CREDENTIALS[algorithm], (credentials) => credentials.verify(secret)),
    bare: bareScram(secret),
  };
}

/** The checker knows the token itself; what it costs to ask who gave it away is not SASL's. */
function tokenMechanism(challenger: Challenger, responder: Responder): Mechanism {
  const known = Buffer.from(token);
  return {
    challenger,
    responder,
    ...checked(BearerToken, (bearer) =>
      timingSafeEqual(plainly('sha256', Buffer.from(bearer.token)), plainly('sha256', known)),
    ),
    bare: bareComparison(token),
  };
}

function hashedTokenMechanism(binding: HtBinding): Mechanism {
  const secret = Buffer.from(token);
  return {
    challenger: ht({ binding }),
    responder: htResponder({ binding, username, token: secret }),
    ...checked(HashedToken, (credentials) => credentials.checkToken(secret)),
    bare: bareHashedToken(secret, binding !== 'NONE'),
    ...(binding !== 'NONE' && { tls: tlsOf(binding === 'UNIQ' ? 'TLSv1.2' : 'TLSv1.3') }),
  };
}

/** A portal whose checker accepts the user if `isRight` says so, and `isRight` by itself. */
function checked<C extends Credentials>(
  credentialInterface: Interface<C>,
  isRight: (credentials: C) => MaybePromise<boolean>,
): Pick<Mechanism, 'portal' | 'verify'> {
  const decide = (right: boolean): string => {
    if (!right) throw new UnauthorizedLogin();
    return username;
  };
  return {
    portal: portalWith<C>({
      credentialInterfaces: [credentialInterface],
      requestAvatarId(credentials) {
        const right = isRight(credentials);
        return typeof right === 'boolean' ? decide(right) : right.then(decide);
      },
    }),
    verify: (credentials) => isRight(credentials as C),
  };
}

function portalWith<C extends Credentials>(checker: Checker<C>): Portal {
  return new Portal(new AvatarRealm().provide(Door, () => new Door())).register(checker);
}

/** A fixed nonce, so that an exchange can be recorded. A real one takes 0.05 µs. */
const nonce = (): string => 'fyko+d2lbbFgONRv9qkxdawL';

/** 256 bits, as an authorization server issues them. */
const token = 'Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmE';
