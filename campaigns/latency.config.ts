// The server of `npm run latency`: the limits that protect others stay as they are, those that
// would refuse the load go.
import { defineConfig } from 'postern';

export default defineConfig({
  listen: ['smtp://127.0.0.1:0?service=mx'],
  auth: ['memory:good:pw'],
  deliver: 'discard',
  domains: '*',
  log: 'silent',
  throttle: false,
  limits: {
    maxConnections: 20_000,
    maxConnectionsPerClient: 20_000,
    maxLoginFailures: 1e9,
    undelayedLoginFailures: 1e9,
  },
});
