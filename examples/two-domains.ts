// Two domains on one listener, each with its own name, certificate and user database. The server
// name of the TLS handshake (SNI) chooses the domain, so that joe of one domain is not joe of the
// other.
//
//   node examples/dist/two-domains.js 2465 one.pem one.key two.pem two.key
//   swaks --server localhost:2465 --tls-on-connect --tls-sni two.example --auth-user joe \
//     --auth-password banana --from joe@two.example --to ann@two.example
import { once } from 'node:events';
import {
  type AvatarId,
  AvatarRealm,
  type Checker,
  InMemoryUsernamePasswordDatabaseDontUse,
  type Mind,
  PasswordProof,
  Portal,
} from '@postern/cred';
import { esmtp, InMemoryDelivery, MessageDelivery } from '@postern/esmtp';
import { Certificates, serve } from '@postern/node';
import { withThrottle } from '@postern/throttle';

const [port = '2465', oneCert = '', oneKey = '', twoCert = '', twoKey = ''] = process.argv.slice(2);

/**
 * Returns the domain of the client's connection. A client without a server name is at one.example.
 */
function domainOf({ tls }: Mind): 'one.example' | 'two.example' {
  return tls?.serverName === 'two.example' ? 'two.example' : 'one.example';
}

/** Asks the user database of the client's domain. */
class DomainChecker implements Checker<PasswordProof> {
  readonly credentialInterfaces = [PasswordProof] as const;
  readonly #databases = {
    'one.example': new InMemoryUsernamePasswordDatabaseDontUse({ joe: 'apple' }),
    'two.example': new InMemoryUsernamePasswordDatabaseDontUse({ joe: 'banana' }),
  };

  async requestAvatarId(credentials: PasswordProof, mind: Mind): Promise<AvatarId> {
    const domain = domainOf(mind);
    const username = await this.#databases[domain].requestAvatarId(credentials);
    return `${String(username)}@${domain}`;
  }
}

const realm = new AvatarRealm().provide(MessageDelivery, (user) => {
  console.log(`logged in: ${String(user)}`);
  return new InMemoryDelivery();
});
const portal = new Portal(realm).register(withThrottle(new DomainChecker()));
const certificates = await Certificates.load({
  cert: oneCert,
  key: oneKey,
  named: [{ cert: twoCert, key: twoKey, names: ['two.example'] }],
  // A session that is resumed under TLS 1.2 has no server name in Node.
  minVersion: 'TLSv1.3',
});
await using server = await serve({
  listeners: [
    {
      endpoint: { scheme: 'smtps', host: 'localhost', port: Number(port) },
      certificates,
      protocol: esmtp({ hostname: domainOf, portal }),
    },
  ],
  portal,
});
for (const { url } of server.listeners) console.log(`listening ${url}`);
await Promise.race(['SIGINT', 'SIGTERM'].map((signal) => once(process, signal)));
