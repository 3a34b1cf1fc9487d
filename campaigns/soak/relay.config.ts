// The submission server of `npm run soak`: messages are relayed to `NEXT_PORT`. The
// generator is one machine with many addresses, whose load no limit by network refuses.
import { env } from 'node:process';
import { defineConfig, relay } from 'postern';

export default defineConfig({
  listen: ['smtp://127.0.0.1:0', 'smtps://127.0.0.1:0'],
  auth: ['memory:ann:right-Secret-1'],
  deliver: relay({
    to: `smtp:127.0.0.1:${env['NEXT_PORT']}`,
    maxConnections: 10,
    readTimeout: 4_000,
    dataTimeout: 4_000,
    connectTimeout: 4_000,
  }),
  log: 'json',
  tls: { cert: env['CERT'] ?? '', key: env['KEY'] ?? '' },
  limits: {
    maxConnections: 2_000,
    maxConnectionsPerClient: 1_000,
    idleTimeout: 20_000,
    maxHandshakesPerMinute: 1e9,
    maxConnectionsPerMinute: 1e9,
  },
});
