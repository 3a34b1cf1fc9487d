import { defineConfig, relay } from 'postern';

/** Relays joe's messages to the server of the environment, logged in there as joe. */
export default defineConfig({
  auth: ['memory:joe:s3cret'],
  deliver: relay({
    to: String(process.env['NEXT_SERVER']),
    username: 'joe',
    password: 's3cret',
    ca: String(process.env['NEXT_SERVER_CA']),
  }),
});
