// The server of `npm run fuzz:sessions`: nothing ends a session but what the session says.
import { env } from 'node:process';
import { InMemoryUsernamePasswordDatabaseDontUse } from '@postern/cred';
import { defineConfig } from 'postern';
import { RIGHT_PASSWORD } from './sessions/secrets.ts';
import { USERS } from './sessions/users.ts';

export default defineConfig({
  listen: [
    'smtp://127.0.0.1:0',
    'smtp://127.0.0.1:0?service=mx&auth=optional',
    'lmtp://127.0.0.1:0',
    'pop3://127.0.0.1:0',
  ],
  auth: [new InMemoryUsernamePasswordDatabaseDontUse(USERS.map((user) => [user, RIGHT_PASSWORD])), 'anonymous'],
  deliver: 'discard',
  mailboxes: `maildir:${env['MAILDIRS']}`,
  domains: '*',
  log: 'json',
  throttle: false,
  logUsernames: false,
  tls: { cert: env['CERT'] ?? '', key: env['KEY'] ?? '' },
  limits: {
    maxConnections: 10_000,
    maxConnectionsPerClient: 10_000,
    maxErrors: 1e9,
    maxLoginFailures: 1e9,
    undelayedLoginFailures: 1e9,
    undelayedJunkCommands: 1e9,
    maxJunkCommands: 1e9,
    maxSmallChunks: 1e9,
    minFailureDelay: 10,
    idleTimeout: 3_000,
    maxMessageSize: 100_000,
  },
});
