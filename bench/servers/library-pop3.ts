// node library-pop3.ts MAILDIRS | memory COUNT OCTETS
//
// POP3 as an application sets it up: a portal, a checker, a realm, and mailboxes: the Maildirs of a
// folder, or one mailbox of equal messages in memory, without a lock and without a file.
import { type AvatarId, AvatarRealm, InMemoryUsernamePasswordDatabaseDontUse, Portal } from '@postern/cred';
import { MaildirMailboxes } from '@postern/maildir';
import { listen } from '@postern/node';
import { InMemoryMailbox, Mailbox, pop3 } from '@postern/pop3';
import { password } from '../account.ts';
import { messageOf } from '../pop3/mailbox-files.ts';
import { HOSTNAME, USERS, userName } from '../pop3/servers.ts';
import { backlog } from './backlog.ts';
import { tell } from './tell.ts';

const [folder = '', count, octets] = process.argv.slice(2);
const names = Array.from({ length: USERS }, (_, index) => userName(index));

const inMemory = new InMemoryMailbox(Array.from({ length: Number(count) || 0 }, () => messageOf(Number(octets))));
const maildirs = new MaildirMailboxes(folder);
const realm = new AvatarRealm().provide(Mailbox, (user: AvatarId, mind) =>
  folder === 'memory' ? inMemory : maildirs.open(`${String(user)}@${HOSTNAME}`, mind),
);
const users = new InMemoryUsernamePasswordDatabaseDontUse(names.map((name) => [name, password]));
const portal = new Portal(realm).register(users);

const listener = await listen({
  endpoint: { host: '127.0.0.1', port: 0 },
  protocol: pop3({ hostname: HOSTNAME, portal }),
  limits: { maxConnections: 20_000, maxConnectionsPerClient: 20_000 },
  backlog,
});
tell(listener.address.port);
