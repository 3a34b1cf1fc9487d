import { createHmac, createSecretKey, randomBytes, timingSafeEqual } from 'node:crypto';
import {
  AnonymousChecker,
  AvatarRealm,
  type Checker,
  type Credentials,
  InMemoryUsernamePasswordDatabaseDontUse,
  type PasswordProof,
  Portal,
  UnauthorizedLogin,
} from '@postern/cred';
import {
  anonymous,
  type Challenger,
  cramMd5,
  login,
  plain,
  SCRAM_CREDENTIALS,
  SCRAM_HASHES,
  type ScramCredentials,
  type ScramHash,
  ScramSecret,
  scram,
} from '@postern/sasl';
import {
  anonymousResponder,
  cramMd5Responder,
  loginResponder,
  plainResponder,
  type Responder,
  scramResponder,
} from '@postern/sasl/client';
import { password, username } from './account.ts';
import { byText, type Digest, Hmac, plainly, xor } from './hmac.ts';

/** A mechanism under measurement. */
export interface Mechanism {
  readonly challenger: Challenger;
  readonly responder: Responder;
  /** A portal with a checker for its credentials, and a realm that provides a Door. */
  readonly portal: Portal;
  /** What a checker does, without portal and realm around it. */
  readonly verify: (credentials: Credentials) => boolean | Promise<boolean>;
  /** The hashes and HMACs of one verification and nothing else, as Node's documentation has it and in the fastest way known. */
  readonly bare?: { readonly plainly: () => void; readonly fastest: () => void };
}

/** The avatar, behind which is nothing. */
export class Door {}

export async function mechanisms(): Promise<readonly Mechanism[]> {
  return [
    passwordMechanism(plain(), plainResponder({ username, password }), bareComparison()),
    passwordMechanism(login(), loginResponder({ username, password }), bareComparison()),
    passwordMechanism(
      cramMd5({ hostname: 'mail.example.com', nonce }),
      cramMd5Responder({ username, password }),
      bareCramMd5(),
    ),
    ...(await Promise.all((Object.keys(SCRAM_HASHES) as ScramHash[]).map(scramMechanism))),
    {
      challenger: anonymous(),
      responder: anonymousResponder(),
      portal: portalWith(new AnonymousChecker()),
      verify: () => true,
    },
  ];
}

function passwordMechanism(
  challenger: Challenger,
  responder: Responder,
  bare: NonNullable<Mechanism['bare']>,
): Mechanism {
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
    portal: portalWith({
      credentialInterfaces: [SCRAM_CREDENTIALS[algorithm]],
      async requestAvatarId(credentials: ScramCredentials) {
        if (await credentials.verify(secret)) return credentials.username;
        throw new UnauthorizedLogin();
      },
    }),
    verify: (credentials) => (credentials as ScramCredentials).verify(secret),
    bare: { plainly: bareScram(secret, plainly), fastest: bareScram(secret, byText) },
  };
}

/** Always the same, so that an exchange can be recorded; making a real one takes a twentieth of a microsecond. */
const nonce = (): string => 'fyko+d2lbbFgONRv9qkxdawL';

function portalWith<C extends Credentials>(checker: Checker<C>): Portal {
  return new Portal(new AvatarRealm().provide(Door, () => new Door())).register(checker);
}

/** RFC 5802 §3: HMAC(StoredKey, AuthMessage), H(ClientKey), HMAC(ServerKey, AuthMessage). */
function bareScram({ hash: algorithm, storedKey, serverKey }: ScramSecret, digest: Digest): () => void {
  const { block, length } = SCRAM_HASHES[algorithm];
  const stored = new Hmac(algorithm, block, storedKey, digest);
  const server = new Hmac(algorithm, block, serverKey, digest);
  const proof = randomBytes(length);
  return () => {
    const clientKey = xor(proof, stored.of(AUTH_MESSAGE));
    timingSafeEqual(digest(algorithm, clientKey), storedKey);
    server.of(AUTH_MESSAGE);
  };
}

/** Two digests of the same length, so that timingSafeEqual can compare passwords of any. */
function bareComparison(): NonNullable<Mechanism['bare']> {
  const compare = (digest: Digest) => (): void => {
    timingSafeEqual(digest('sha256', PASSWORD), digest('sha256', PASSWORD));
  };
  return { plainly: compare(plainly), fastest: compare(byText) };
}

/** RFC 2195 §2, with a key that is a text because the password is. */
function bareCramMd5(): NonNullable<Mechanism['bare']> {
  const digest = randomBytes(16);
  const key = createSecretKey(PASSWORD);
  return {
    plainly: () => void timingSafeEqual(createHmac('md5', password).update(CHALLENGE).digest(), digest),
    fastest: () =>
      void timingSafeEqual(Buffer.from(createHmac('md5', key).update(CHALLENGE).digest('binary'), 'latin1'), digest),
  };
}

const PASSWORD = Buffer.from(password);
const CHALLENGE = Buffer.from('<195895738547289374982733784923749.1760000000000@mail.example.com>');
/** As long as the one of an exchange between our two halves. */
const AUTH_MESSAGE = Buffer.from(
  `n=${username},r=${'c'.repeat(24)},r=${'c'.repeat(24)}${'s'.repeat(24)},s=${'a'.repeat(24)},i=4096,c=biws,r=${'c'.repeat(24)}${'s'.repeat(24)}`,
);
