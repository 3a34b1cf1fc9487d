// A submission server whose users' mail is relayed: who has logged in sends, as himself, by way of a smarthost, where the server logs
// in itself. Nothing is queued here: what the smarthost says of a recipient or a message, the client is told.
//
//   node examples/dist/authenticated-relayer.js 2587 smtp.example.net:587 name password
//   swaks --server localhost:2587 --auth PLAIN --auth-user joe --auth-password s3cret --from joe@example.com --to ann@example.org
import { AvatarRealm, InMemoryUsernamePasswordDatabaseDontUse, Portal } from '@postern/cred';
import { esmtp, MessageDelivery, OwnSenderDelivery } from '@postern/esmtp';
import { listen, parseEndpoint } from '@postern/node';
import { RelayDelivery, Smarthost } from '@postern/relay';
import { passwordResponders } from '@postern/sasl/client';
import { withThrottle } from '@postern/throttle';

const [port = '2587', address = 'localhost:2500', username = 'guest', password = 'password'] = process.argv.slice(2);

// STARTTLS, and a certificate that is right, are required of a smarthost that is not this machine.
const smarthost = new Smarthost({
  endpoint: parseEndpoint(`smtp://${address}`),
  responders: passwordResponders({ username, password }),
  onError: (error) => console.error(error),
});

const addresses = new Map([
  ['joe', ['joe@example.com', 'sales@example.com']],
  ['ann', ['@example.org']],
]);

const realm = new AvatarRealm().provide(MessageDelivery, (avatarId, mind) => {
  // The relay shares its connections out by user and by network.
  return new OwnSenderDelivery(new RelayDelivery(smarthost, { avatarId, mind }), { avatarId, addresses });
});
const users = new InMemoryUsernamePasswordDatabaseDontUse({ joe: 's3cret', ann: 'hunter2' });
const portal = new Portal(realm).register(withThrottle(users));

const listener = await listen({
  endpoint: { scheme: 'smtp', host: 'localhost', port: Number(port) },
  // The smarthost may take its time over a message (RFC 5321 §4.5.3.2.6), and who gives up sooner may deliver twice.
  protocol: esmtp({ hostname: 'localhost', portal, limits: { deliveryTimeout: 620_000 } }),
});
console.log(`listening ${listener.url}`);
