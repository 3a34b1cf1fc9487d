// Functions that decide logins, in the terms of Halon and aiosmtpd. A function returns one
// decision:
//
//   joe sends his password, and then a code
//   ann logs in under another name
//   eve gets a reply of its own, and the server disconnects
//   undefined rejects the login, and an error defers it
//
// The mechanism X-TOKEN of this file stands beside the default ones. Its credentials are a token.
import { once } from 'node:events';
import { AvatarRealm, Portal, UsernamePassword } from '@postern/cred';
import { accept, challenge, decide, defer, esmtp, InMemoryDelivery, MessageDelivery, reject } from '@postern/esmtp';
import { serve } from '@postern/node';
import {
  BearerToken,
  type Challenger,
  decodeUtf8,
  defaultChallengers,
  MalformedResponse,
  NO_BYTES,
  overrideChallengers,
} from '@postern/sasl';

const byPassword = decide([UsernamePassword], ({ username, password }, { remote }, [code]) => {
  if (username === 'eve') return reject('Not any more', { code: 550, enhanced: '5.7.1', disconnect: true });
  if (username === 'ann' && password === 'hunter2') return accept('ann@example.com');
  if (username !== 'joe' || password !== 's3cret') return;
  if (code === undefined) return challenge(`Code for ${remote.address}:`);
  return decodeUtf8(code) === '123456' ? accept(username) : reject('Wrong code');
});

const tokens = new Map([['t0ken', 'joe']]);
const byToken = decide([BearerToken], async ({ token }) => {
  const user = tokens.get(token);
  if (token.startsWith('old-')) return defer('Tokens are being renewed, try again soon');
  return user === undefined ? undefined : accept(user);
});

const xToken: Challenger<BearerToken> = {
  mechanism: 'X-TOKEN',
  credentials: BearerToken,
  exposesSecret: true,
  async challenge(ask, initialResponse) {
    const token = decodeUtf8(initialResponse ?? (await ask(NO_BYTES)));
    if (token === undefined || token === '') throw new MalformedResponse('no token');
    return new BearerToken(token);
  },
};

const realm = new AvatarRealm().provide(MessageDelivery, (user) => {
  console.log(`logged in: ${String(user)}`);
  return new InMemoryDelivery();
});
const portal = new Portal(realm).register(byPassword).register(byToken);
const challengers = overrideChallengers(defaultChallengers({ hostname: 'localhost' }), xToken);
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
