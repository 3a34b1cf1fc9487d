// The server of `npm run fuzz:sessions`: nothing ends a session but what the session says.
import { env } from 'node:process';
import { InMemoryUsernamePasswordDatabaseDontUse } from '@postern/cred';
import { ImapBackEnd } from '@postern/imap';
import { SieveBackEnd } from '@postern/managesieve';
import { connect } from '@postern/node';
import type { BackEndOptions } from '@postern/sasl-profile';
import { defineConfig } from 'postern';
import { BACK_END_PASSWORD, RIGHT_PASSWORD } from './sessions/secrets.ts';
import { slotOf, USERS } from './sessions/users.ts';

export default defineConfig({
  listen: [
    'smtp://127.0.0.1:0',
    'smtp://127.0.0.1:0?service=mx&auth=optional',
    'lmtp://127.0.0.1:0',
    'pop3://127.0.0.1:0',
    'imap://127.0.0.1:0',
    'sieve://127.0.0.1:0',
  ],
  backEnd: {
    imap: (user) => new ImapBackEnd(backEndOf(String(user), Number(env['IMAP_BACK_END']))),
    sieve: (user) => new SieveBackEnd(backEndOf(String(user), Number(env['SIEVE_BACK_END']))),
  },
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

/** The back end of a user: each slot has its own address. */
function backEndOf(username: string, port: number): BackEndOptions {
  const endpoint = { host: `127.4.${slotOf(username)}.1`, port };
  return {
    connect: (signal) => connect({ endpoint, tlsPolicy: 'none', signal }),
    account: { username, masterUser: 'postern', password: BACK_END_PASSWORD },
    loginTimeout: 1_000,
    idleTimeout: 2_000,
  };
}
