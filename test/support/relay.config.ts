import { defineConfig, relay } from 'postern';

/** joe's messages go on to the server that the environment names, as the user joe of that server. */
export default defineConfig({
  auth: ['memory:joe:s3cret'],
  deliver: relay({
    to: String(process.env['NEXT_SERVER']),
    username: 'joe',
    password: 's3cret',
    ca: String(process.env['NEXT_SERVER_CA']),
  }),
});
