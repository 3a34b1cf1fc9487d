// A submission server whose users are in SQLite. Each user has a hash, for PLAIN and LOGIN, and a
// SCRAM record. An administrator adds users while the server runs.
//
//   echo 'correct horse battery staple' | node examples/dist/sqlite-users.js add joe users.db
//   node examples/dist/sqlite-users.js serve 2500 users.db
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { submission } from '@postern/submission';
import { HashQueue, hashPassword, UserChecker } from '@postern/users';
import { SqliteUserStore } from '@postern/users/sqlite';

const [command = '', argument = '', path = 'users.db'] = process.argv.slice(2);
await using users = await SqliteUserStore.open(path);
if (command === 'add') await addUser(argument);
else await serve(Number(argument || 2500));

/** Adds a user. The password is the standard input, which no other user of the machine can see. */
async function addUser(name: string): Promise<void> {
  const password = (await text(process.stdin)).replace(/\r?\n$/, '');
  await using queue = new HashQueue();
  await users.add({ name, secrets: await hashPassword(password, { queue }) });
  console.log(`added ${name}`);
}

async function serve(port: number): Promise<void> {
  await using server = await submission({
    listen: `smtp://127.0.0.1:${port}`,
    users: new UserChecker(users),
    deliver: ({ user, to }) => console.log(`${String(user)} writes to ${to.join()}`),
  });
  console.log(`listening ${server.url}`);
  await Promise.race(['SIGINT', 'SIGTERM'].map((signal) => once(process, signal)));
}
