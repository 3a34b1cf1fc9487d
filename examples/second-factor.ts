// A submission server whose user needs a one-time code. The client appends the code to the
// password, or LOGIN asks for it. A mail program, which cannot ask, has an application password.
//
//   node examples/dist/second-factor.js 2500
import { once } from 'node:events';
import { submission } from '@postern/submission';
import {
  generateAppPassword,
  generateTotp,
  HashQueue,
  hashPassword,
  InMemoryUserStore,
  otpauthUrl,
  UserChecker,
} from '@postern/users';

await using queue = new HashQueue();
const totp = generateTotp();
const phone = generateAppPassword('phone', { scopes: ['smtp'] });
const users = new InMemoryUserStore([
  {
    name: 'joe',
    secrets: await hashPassword('correct horse battery staple', { queue }),
    totp,
    appPasswords: [phone.record],
  },
]);

await using server = await submission({
  listen: `smtp://127.0.0.1:${process.argv[2] ?? 2500}`,
  users: new UserChecker(users, { queue, totp: { codePrompt: 'Code:' } }),
  deliver: ({ user, to }) => console.log(`${String(user)} writes to ${to.join()}`),
});
console.log(`for the authenticator app: ${otpauthUrl(totp, { issuer: 'localhost', account: 'joe' })}`);
console.log(`for the mail program: ${phone.password}`);
console.log(`listening ${server.url}`);
await Promise.race(['SIGINT', 'SIGTERM'].map((signal) => once(process, signal)));
