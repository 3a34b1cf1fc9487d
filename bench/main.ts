// npm run bench auth-server|esmtp|pop3|sasl|users -- [options]
import { benchAuthServer } from './auth-server.ts';
import { benchEsmtp } from './esmtp.ts';
import { benchPop3 } from './pop3.ts';
import { benchSasl } from './sasl.ts';
import { benchUsers } from './users.ts';

const [what, ...args] = process.argv.slice(2);
const benches: Readonly<Record<string, (args: string[]) => Promise<void>>> = {
  'auth-server': benchAuthServer,
  esmtp: benchEsmtp,
  pop3: benchPop3,
  sasl: benchSasl,
  users: benchUsers,
};
const bench = benches[what ?? ''];
// A signal ends the servers and removes the temporary folders, as any end of the process does.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(1));
if (bench === undefined) {
  console.error(`usage: npm run bench ${Object.keys(benches).join('|')} -- [options]   (see bench/README.md)`);
  process.exitCode = 2;
} else {
  try {
    await bench(args);
  } catch (error) {
    console.error(error instanceof Error ? `bench: ${error.message}` : error);
    process.exitCode = 1;
  }
}
