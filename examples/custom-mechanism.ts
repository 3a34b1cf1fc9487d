// A SASL mechanism of the application in two rounds: the server asks for the name, then for an HMAC
// of a nonce. Every checker with clear-text passwords can judge its credentials.
//
//   C: AUTH X-HMAC-SHA256        S: 334 (base64 of `name`)
//   C: (base64 of the name)      S: 334 (base64 of the nonce)
//   C: (base64 of the HMAC of the nonce, its key the password)   S: 235
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { AvatarRealm, InMemoryUsernamePasswordDatabaseDontUse, PasswordProof, Portal } from '@postern/cred';
import { esmtp, InMemoryDelivery, MessageDelivery } from '@postern/esmtp';
import { serve } from '@postern/node';
import { type Challenger, decodeUtf8, defaultChallengers, encodeUtf8, MalformedResponse } from '@postern/sasl';

/** The name and the HMAC that the client sent. A checker passes the password to verify them. */
class HmacProof extends PasswordProof {
  readonly username: string;
  readonly #nonce: Uint8Array;
  readonly #digest: Uint8Array;

  constructor(username: string, nonce: Uint8Array, digest: Uint8Array) {
    super();
    this.username = username;
    this.#nonce = nonce;
    this.#digest = digest;
  }

  override checkPassword(password: string): boolean {
    return timingSafeEqual(createHmac('sha256', password).update(this.#nonce).digest(), this.#digest);
  }
}

const hmac: Challenger<HmacProof> = {
  mechanism: 'X-HMAC-SHA256',
  credentials: HmacProof,
  exposesSecret: false,
  serverFirst: true,
  async challenge(ask) {
    const name = decodeUtf8(await ask(encodeUtf8('name')));
    if (name === undefined) throw new MalformedResponse('the name is not UTF-8');
    const nonce = encodeUtf8(randomBytes(18).toString('base64'));
    const digest = await ask(nonce);
    if (digest.length !== 32) throw new MalformedResponse('an HMAC-SHA-256 has 32 octets');
    return new HmacProof(name, nonce, digest);
  },
};

const portal = new Portal(new AvatarRealm().provide(MessageDelivery, () => new InMemoryDelivery())).register(
  new InMemoryUsernamePasswordDatabaseDontUse({ joe: 'password' }),
);
const challengers = [hmac, ...defaultChallengers({ hostname: 'localhost' })];
await using server = await serve({
  listeners: [
    {
      endpoint: { scheme: 'smtp', host: 'localhost', port: Number(process.argv[2] ?? 2500) },
      protocol: esmtp({ hostname: 'localhost', portal, challengers }),
    },
  ],
  portal,
});
for (const { url } of server.listeners) console.log(`listening ${url}`);
await Promise.race(['SIGINT', 'SIGTERM'].map((signal) => once(process, signal)));
