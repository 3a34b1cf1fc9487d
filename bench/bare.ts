import { createHmac, createSecretKey, randomBytes, timingSafeEqual } from 'node:crypto';
import { SCRAM_HASHES, type ScramSecret } from '@postern/sasl';
import { password, username } from './account.ts';
import { byText, type Digest, Hmac, plainly, xor } from './hmac.ts';
import { BINDING_OCTETS } from './mind.ts';

/** The hashes and HMACs of one verification: as in Node's documentation, and in the fastest way. */
export interface Bare {
  readonly plainly: () => void;
  readonly fastest: () => void;
}

/** RFC 5802 §3: HMAC(StoredKey, AuthMessage), H(ClientKey), HMAC(ServerKey, AuthMessage). */
export function bareScram({ hash: algorithm, storedKey, serverKey }: ScramSecret): Bare {
  return withDigests((digest) => {
    const { block, length } = SCRAM_HASHES[algorithm];
    const stored = new Hmac(algorithm, block, storedKey, digest);
    const server = new Hmac(algorithm, block, serverKey, digest);
    const proof = randomBytes(length);
    return () => {
      const clientKey = xor(proof, stored.of(AUTH_MESSAGE));
      timingSafeEqual(digest(algorithm, clientKey), storedKey);
      server.of(AUTH_MESSAGE);
    };
  });
}

/** Two digests: timingSafeEqual needs the same length, which passwords and tokens do not have. */
export function bareComparison(secret: string): Bare {
  const bytes = Buffer.from(secret);
  return withDigests((digest) => () => void timingSafeEqual(digest('sha256', bytes), digest('sha256', bytes)));
}

/** RFC 2195 §2, with a key that is a text because the password is. */
export function bareCramMd5(): Bare {
  const digest = randomBytes(16);
  const key = createSecretKey(Buffer.from(password));
  return {
    plainly: () => void timingSafeEqual(createHmac('md5', password).update(CHALLENGE).digest(), digest),
    fastest: () =>
      void timingSafeEqual(Buffer.from(createHmac('md5', key).update(CHALLENGE).digest('binary'), 'latin1'), digest),
  };
}

/** RFC 2831 §2.1.2.1, §2.1.3: the password's hash, A1, and for each side A2 and the proof: six. */
export function bareDigestMd5(): Bare {
  const user = Buffer.from(`${username}:mail.example.com:${password}`);
  const nonces = Buffer.from(`:${'s'.repeat(24)}:${'c'.repeat(24)}`);
  const between = `:${'s'.repeat(24)}:00000001:${'c'.repeat(24)}:auth:`;
  const proof = randomBytes(16);
  return withDigests((digest) => () => {
    const a1 = digest('md5', Buffer.concat([digest('md5', user), nonces])).toString('hex');
    const whole = (a2: Buffer): Buffer =>
      digest('md5', Buffer.from(`${a1}${between}${digest('md5', a2).toString('hex')}`, 'latin1'));
    timingSafeEqual(whole(CLIENTS_A2), proof);
    whole(SERVERS_A2);
  });
}

/** Draft-schmaus-kitten-sasl-ht: an HMAC for each side. */
export function bareHashedToken(token: Uint8Array, isBound: boolean): Bare {
  const binding = Buffer.alloc(isBound ? BINDING_OCTETS : 0, 1);
  const messages = ['Initiator', 'Responder'].map((side) => Buffer.concat([Buffer.from(side), binding]));
  const proof = randomBytes(32);
  return withDigests((digest) => {
    const hmac = new Hmac('sha256', 64, token, digest);
    const [initiators = EMPTY, responders = EMPTY] = messages;
    return () => {
      timingSafeEqual(hmac.of(initiators), proof);
      hmac.of(responders);
    };
  });
}

function withDigests(make: (digest: Digest) => () => void): Bare {
  return { plainly: make(plainly), fastest: make(byText) };
}

const EMPTY = Buffer.alloc(0);
const CHALLENGE = Buffer.from('<195895738547289374982733784923749.1760000000000@mail.example.com>');
/** As long as the one of an exchange between our two halves. */
const AUTH_MESSAGE = Buffer.from(
  `n=${username},r=${'c'.repeat(24)},r=${'c'.repeat(24)}${'s'.repeat(24)},s=${'a'.repeat(24)},i=4096,c=biws,r=${'c'.repeat(24)}${'s'.repeat(24)}`,
);
const CLIENTS_A2 = Buffer.from('AUTHENTICATE:smtp/mail.example.com');
const SERVERS_A2 = Buffer.from(':smtp/mail.example.com');
