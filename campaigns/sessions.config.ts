// The server of `npm run fuzz:sessions`: nothing ends a session but what the session says.
import { env } from 'node:process';
import { defineConfig } from 'postern';

export default defineConfig({
  listen: ['smtp://127.0.0.1:0', 'smtp://127.0.0.1:0?service=mx&auth=optional', 'lmtp://127.0.0.1:0'],
  auth: ['memory:ann:right-Secret-1', 'anonymous'],
  deliver: 'discard',
  domains: '*',
  log: 'json',
  throttle: false,
  logUsernames: false,
  tls: { cert: env['CERT'] ?? '', key: env['KEY'] ?? '' },
  limits: {
    connections: 10_000,
    connectionsPerClient: 10_000,
    errors: 1e9,
    refusals: 1e9,
    promptRefusals: 1e9,
    undelayedJunkCommands: 1e9,
    maxJunkCommands: 1e9,
    smallChunks: 1e9,
    refusalFloor: 10,
    idleTime: 3_000,
    messageSize: 100_000,
  },
});
