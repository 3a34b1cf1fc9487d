// A submission server that relays its users' mail to a smarthost, where the server logs in itself.
// A user sends from the user's own addresses only. The server has no queue: the client gets the
// smarthost's reply to each recipient and each message.
//
//   node examples/dist/authenticated-relayer.js 2587 smtp.example.net:587 name password
//   swaks --server localhost:2587 --auth PLAIN --auth-user joe --auth-password s3cret \
//     --from joe@example.com --to ann@example.org
import { once } from 'node:events';
import { AvatarRealm, InMemoryUsernamePasswordDatabaseDontUse, Portal } from '@postern/cred';
import { esmtp, MessageDelivery, OwnSenderDelivery } from '@postern/esmtp';
import { parseEndpoint, serve } from '@postern/node';
import { RelayDelivery, Smarthost } from '@postern/relay';
import { passwordResponders } from '@postern/sasl/client';
import { withThrottle } from '@postern/throttle';

const [port = '2587', address = 'localhost:2500', username = 'joe', password = 'password'] = process.argv.slice(2);

// A smarthost on another machine needs STARTTLS and a valid certificate.
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
  // The relay shares its connections among users and networks.
  return new OwnSenderDelivery(new RelayDelivery(smarthost, { avatarId, mind }), { avatarId, addresses });
});
const users = new InMemoryUsernamePasswordDatabaseDontUse({ joe: 's3cret', ann: 'hunter2' });
const portal = new Portal(realm).register(withThrottle(users));

await using server = await serve({
  listeners: [
    {
      endpoint: { scheme: 'smtp', host: 'localhost', port: Number(port) },
      protocol: esmtp({ hostname: 'localhost', portal }),
    },
  ],
  portal,
  resources: { smarthost },
});
for (const { url } of server.listeners) console.log(`listening ${url}`);
await Promise.race(['SIGINT', 'SIGTERM'].map((signal) => once(process, signal)));
