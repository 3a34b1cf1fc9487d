// node library-auth.ts PATH
//
// The auth server as an application sets it up: a portal, a checker, a realm, on a UNIX socket.
import { AvatarRealm, Identity, InMemoryUsernamePasswordDatabaseDontUse, identityOf, Portal } from '@postern/cred';
import { dovecotAuth } from '@postern/dovecot-auth';
import { listen } from '@postern/node';
import { password, username } from '../account.ts';
import { backlog } from './backlog.ts';
import { tell } from './tell.ts';

const [path = ''] = process.argv.slice(2);
const users = new InMemoryUsernamePasswordDatabaseDontUse([[username, password]]);
const portal = new Portal(new AvatarRealm().provide(Identity, identityOf)).register(users);

await listen({
  endpoint: { path },
  protocol: dovecotAuth({ hostname: 'postern.example.com', portal }),
  limits: { maxConnections: 20_000, maxConnectionsPerClient: 20_000 },
  backlog,
});
tell(0);
