import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startActivated } from '../support/activated.ts';
import { type AuthRecipe, authRecipe, joesDatabase, restart } from '../support/auth-recipe.ts';
import { certificateFiles, testCertificates } from '../support/certificates.ts';
import type { MtaTarget } from '../support/mta-clients.ts';
import { describeLogins, logInDuring } from '../support/mta-logins.ts';
import { type RunningPostern, startPostern } from '../support/postern.ts';
import { mainParameters, type RunningPostfix, skipsPostfix, startPostfix } from '../support/postfix.ts';
import { expectDone, run, skips, words } from '../support/program.ts';
import { recipeFile, replaceEach } from '../support/recipe.ts';
import { ResourceStack } from '../support/resource-stack.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import type { TestUserDatabase } from '../support/user-database.ts';

const resources = new ResourceStack();
let postfix: RunningPostfix;
let target: MtaTarget;
let socket: string;
let server: RunningPostern;
let recipe: AuthRecipe;
let users: TestUserDatabase;

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
    await expectDone('install', words`-d -g postfix -m 2750 ${folder}`);
    socket = join(folder, 'auth');
    recipe = await authRecipe('postfix', dirname(files.key), '/var/spool/postfix/postern/auth', socket);
    users = resources.use(await joesDatabase());
    server = await startPostern(...recipe.withConfig());
    resources.defer(() => server[Symbol.asyncDispose]());
    target = { port: postfix.port, ca: files.ca, authority: (await testCertificates()).ca };
  });

  afterAll(() => resources.close());

  describeLogins(() => target, { temporary: /^454 4\.7\.0 / });

  it('logs each client in while a new server takes over from the old one', async () => {
    const args = recipe.withUsers(users.spec);
    server = await restart(server, args);
    const replies = await logInDuring(
      () => target,
      async () => {
        for (let count = 0; count < RESTARTS; count++) server = await restart(server, args);
      },
    );
    expect(replies.filter((reply) => !reply.startsWith('235 '))).toEqual([]);
  });

  it.skipIf(skips('python3', 'python3'))(
    'logs each client in while a service manager restarts the server',
    async () => {
      await server.stop();
      await rm(socket, { force: true });
      await using activated = await startActivated([`auth=unix:${socket}`], recipe.withUsers(users.spec));
      await expectDone('chgrp', ['postfix', socket]);
      const replies = await logInDuring(
        () => target,
        async () => {
          for (let count = 1; count <= RESTARTS; count++) {
            activated.restart();
            await activated.said(/^listening /m, count + 1);
          }
        },
      );
      expect(replies.filter((reply) => !reply.startsWith('235 '))).toEqual([]);
    },
  );
});

const RESTARTS = 3;
const DELIVERY = { virtual_mailbox_domains: 'example.com' };
