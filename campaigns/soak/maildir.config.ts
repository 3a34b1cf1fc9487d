// The MX and LMTP server of `npm run soak`: messages go into the Maildirs below `MAILDIRS`.
import { env } from 'node:process';
import { defineConfig } from 'postern';

export default defineConfig({
  listen: ['smtp://127.0.0.1:0?service=mx', 'lmtp://127.0.0.1:0'],
  auth: ['anonymous'],
  deliver: `maildir:${env['MAILDIRS']}`,
  recipients: ['ann@example.com', 'bob@example.com'],
  log: 'json',
  limits: { maxConnections: 2_000, maxConnectionsPerClient: 1_000, idleTimeout: 20_000, maxConnectionsPerMinute: 1e9 },
});
