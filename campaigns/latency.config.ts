// The server of `npm run latency`: the limits that protect others stay as they are, those that
// would refuse the load go.
import { env } from 'node:process';
import { InMemoryUsernamePasswordDatabaseDontUse } from '@postern/cred';
import { defineConfig } from 'postern';

/** The users of the flooding connections, by the number of the connection. */
const numbered = ['small', 'large', 'many', 'empty'].flatMap((name) =>
  Array.from({ length: 1_000 }, (_, index) => `${name}${index}`),
);
const users = ['good', ...['prober', ...numbered].map((name) => `${name}@example.com`)];

export default defineConfig({
  listen: ['smtp://127.0.0.1:0?service=mx', 'pop3://127.0.0.1:0'],
  auth: [new InMemoryUsernamePasswordDatabaseDontUse(users.map((name) => [name, 'pw']))],
  deliver: 'discard',
  mailboxes: `maildir:${env['MAILDIRS']}`,
  domains: '*',
  log: 'silent',
  throttle: false,
  limits: {
    maxConnections: 20_000,
    maxConnectionsPerClient: 20_000,
    maxLoginFailures: 1e9,
    undelayedLoginFailures: 1e9,
    maxConnectionsPerMinute: 1e9,
  },
});
