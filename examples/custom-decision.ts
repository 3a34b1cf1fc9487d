// Who may log in, decided by functions: with the words of Halon and aiosmtpd, and types that leave no third way between yes and no.
//
//   joe, with his password, is asked for a code as well
//   ann is let in under another name
//   eve is turned away in words of its own, and the connection ends
//   nothing returned is a refusal, an error a deferral
//
// And a mechanism of one's own beside those of the server, X-TOKEN, in which a token is all there is.
import { AvatarRealm, Portal, UsernamePassword } from '@postern/cred';
import { accept, challenge, decide, defer, esmtp, type Message, MessageDelivery, reject } from '@postern/esmtp';
import { listen } from '@postern/node';
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

class Nowhere extends MessageDelivery {
  validateFrom(): void {}
  validateTo(): void {}
  openMessage(): Message {
    return { write() {}, end() {}, abort() {} };
  }
}

const realm = new AvatarRealm().provide(MessageDelivery, (user) => {
  console.log(`logged in: ${String(user)}`);
  return new Nowhere();
});
const listener = await listen({
  endpoint: { scheme: 'smtp', host: 'localhost', port: Number(process.argv[2] ?? 2500) },
  protocol: esmtp({
    hostname: 'localhost',
    portal: new Portal(realm).register(byPassword).register(byToken),
    challengers: overrideChallengers(defaultChallengers({ hostname: 'localhost' }), xToken),
  }),
});
console.log(`listening ${listener.url}`);
