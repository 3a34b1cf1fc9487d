// A submission server for two domains. The users of a.example are in an htpasswd file, which
// Apache's command edits while the server runs. All other users are in SQLite.
//
//   htpasswd -cB a.htpasswd joe@a.example
//   node examples/dist/htpasswd-domains.js 2500 a.htpasswd users.db
import { once } from 'node:events';
import { submission } from '@postern/submission';
import { byDomain, FileUserStore, UserChecker } from '@postern/users';
import { SqliteUserStore } from '@postern/users/sqlite';

const [port = '2500', htpasswd = 'a.htpasswd', sqlite = 'users.db'] = process.argv.slice(2);

const customers = await FileUserStore.open(htpasswd, {
  format: 'htpasswd',
  onError: (error) => console.error(error.message),
});
await using others = await SqliteUserStore.open(sqlite);

await using server = await submission({
  listen: `smtp://127.0.0.1:${port}`,
  // A cascade would ask both databases for each user. This asks one.
  users: new UserChecker(byDomain({ 'a.example': customers, default: others })),
  deliver: ({ user, to }) => console.log(`${String(user)} writes to ${to.join()}`),
});
console.log(`listening ${server.url}`);
await Promise.race(['SIGINT', 'SIGTERM'].map((signal) => once(process, signal)));
