// The MX, LMTP and POP3 server of `npm run soak`: messages go into the Maildirs below `MAILDIRS`,
// where ann and bob read and delete them.
import { env } from 'node:process';
import { defineConfig } from 'postern';

export default defineConfig({
  listen: ['smtp://127.0.0.1:0?service=mx', 'lmtp://127.0.0.1:0', 'pop3://127.0.0.1:0'],
  auth: ['anonymous', 'memory:ann:right-Secret-1', 'memory:bob:right-Secret-1'],
  domains: 'example.com',
  deliver: `maildir:${env['MAILDIRS']}`,
  recipients: ['ann@example.com', 'bob@example.com'],
  log: 'json',
  limits: { maxConnections: 2_000, maxConnectionsPerClient: 1_000, idleTimeout: 20_000, maxConnectionsPerMinute: 1e9 },
});
