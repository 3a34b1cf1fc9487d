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
  limits: { connections: 20_000, connectionsPerClient: 20_000, refusals: 1e9, promptRefusals: 1e9 },
});
