// A submission server for a site that has its own table of users. The site writes one function, the
// query. This table is in SQLite; the function is the same for any database.
//
//   node examples/dist/own-database.js 2500
import { once } from 'node:events';
import { DatabaseSync } from 'node:sqlite';
import { submission } from '@postern/submission';
import { UserChecker, type UserRecord } from '@postern/users';

const database = new DatabaseSync(':memory:');
// joe has "password" by bcrypt, ann has "s3cret" by SHA-512-crypt, and eve's account is closed.
database.exec(`
  CREATE TABLE accounts (email TEXT PRIMARY KEY, password_hash TEXT NOT NULL, closed INTEGER NOT NULL) STRICT;
  INSERT INTO accounts VALUES
    ('Joe@example.com', '$2b$06$QeJf01GYppbNKQqJZ84EVeISb/VdTVE15q60xrq/Ixxh8mYQBs4H2', 0),
    ('ann@example.com', '$6$abcdefgh$Z7KfoKnKTSZrzo5VZ0YubGLQOj9ov6sHo9TmE3zIU/LHKhpE30zCnZ0mcIXYf9r9rQ4DYaXoxAFSPFlcWdxjB.', 0),
    ('eve@example.com', '$2b$06$QeJf01GYppbNKQqJZ84EVeISb/VdTVE15q60xrq/Ixxh8mYQBs4H2', 1);
`);
const query = database.prepare('SELECT email, password_hash, closed FROM accounts WHERE lower(email) = ?');

interface Account {
  readonly email: string;
  readonly password_hash: string;
  readonly closed: number;
}

const users = new UserChecker({
  // The name is the canonical one, in lower case.
  find(name): UserRecord | undefined {
    const account = query.get(name) as Account | undefined;
    return account && { name: account.email, secrets: [account.password_hash], enabled: account.closed === 0 };
  },
});

await using server = await submission({
  listen: `smtp://127.0.0.1:${process.argv[2] ?? 2500}`,
  users,
  deliver: ({ user, to }) => console.log(`${String(user)} writes to ${to.join()}`),
});
console.log(`listening ${server.url}`);
await Promise.race(['SIGINT', 'SIGTERM'].map((signal) => once(process, signal)));
