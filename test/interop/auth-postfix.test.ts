import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { certificateFiles, testCertificates } from '../support/certificates.ts';
import { type MtaTarget, openSession, plain } from '../support/mta-clients.ts';
import { describeLogins } from '../support/mta-logins.ts';
import { mainParameters, type RunningPostfix, skipsPostfix, startPostfix } from '../support/postfix.ts';
import { run, skips } from '../support/program.ts';
import { recipeFile, replaceEach } from '../support/recipe.ts';
import { ResourceStack } from '../support/resource-stack.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { startTestAuthServer } from '../support/test-auth-server.ts';

const resources = new ResourceStack();
let postfix: RunningPostfix;
let target: MtaTarget;
let socket: string;
let server: AsyncDisposable;

const skipped =
  skipsPostfix() ||
  skips('swaks', 'swaks') ||
  skips('msmtp', 'msmtp') ||
  skips('gsasl', 'gsasl') ||
  skips('curl', 'curl');

describe.skipIf(skipped)('the recipe docs/recipes/postfix.md', () => {
  beforeAll(async () => {
    console.log((await run('postconf', ['mail_version'])).output.trim());
    const files = await certificateFiles(resources.use(temporaryFolder('auth-postfix')).path);
    const main = replaceEach(recipeFile('postfix', '/etc/postfix/main.cf'), {
      '/etc/postfix/key.pem': files.key,
      '/etc/postfix/fullchain.pem': files.cert,
    });
    const master = recipeFile('postfix', '/etc/postfix/master.cf');
    postfix = resources.use(
      await startPostfix({ ...mainParameters(main), ...DELIVERY }, (address) =>
        replaceEach(master, { 'submission inet': `${address} inet` }),
      ),
    );
    const folder = join(postfix.queue, 'postern');
    await mkdir(folder);
    socket = join(folder, 'auth');
    server = await startTestAuthServer(socket);
    resources.defer(() => server[Symbol.asyncDispose]());
    target = { port: postfix.port, ca: files.ca, authority: (await testCertificates()).ca };
  });

  afterAll(() => resources.close());

  describeLogins(() => target, { temporary: /^454 4\.7\.0 / });

  // A login whose request reaches the old server as it closes is a temporary failure.
  it('greets each client while the server restarts, and logs in afterwards', async () => {
    let restarting = true;
    const clients = [1, 2, 3].map(async () => {
      let sessions = 0;
      for (; restarting || sessions < 3; sessions++) {
        const { client } = await openSession(target);
        using _client = client;
        expect(await client.say(plain('joe', 's3cret'))).toMatch(/^(?:235|454) /);
      }
      return sessions;
    });
    for (let restart = 0; restart < 3; restart++) {
      const old = server;
      server = await startTestAuthServer(socket, { takeOver: true });
      await old[Symbol.asyncDispose]();
    }
    restarting = false;
    expect(Math.min(...(await Promise.all(clients)))).toBeGreaterThanOrEqual(3);
    const { client } = await openSession(target);
    using _client = client;
    expect(await client.say(plain('joe', 's3cret'))).toMatch(/^235 /);
  });
});

const DELIVERY = { virtual_mailbox_domains: 'example.com' };
