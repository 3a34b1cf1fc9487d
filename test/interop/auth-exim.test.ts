import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AuthRecipe, authRecipe, joesDatabase, restart } from '../support/auth-recipe.ts';
import { certificateFiles, testCertificates } from '../support/certificates.ts';
import { eximVersion, skipsExim, startExim } from '../support/exim.ts';
import { type MtaTarget, startTunnel } from '../support/mta-clients.ts';
import { describeLogins, logInDuring } from '../support/mta-logins.ts';
import { type RunningPostern, startPostern } from '../support/postern.ts';
import { expectDone, skips } from '../support/program.ts';
import { recipeFile, replaceEach } from '../support/recipe.ts';
import { ResourceStack } from '../support/resource-stack.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import type { TestUserDatabase } from '../support/user-database.ts';

const resources = new ResourceStack();
let target: MtaTarget;
let socket: string;
let server: RunningPostern;
let recipe: AuthRecipe;
let users: TestUserDatabase;

const skipped =
  skipsExim() || skips('swaks', 'swaks') || skips('msmtp', 'msmtp') || skips('gsasl', 'gsasl') || skips('curl', 'curl');

describe.skipIf(skipped)('the recipe docs/recipes/exim.md', () => {
  beforeAll(async () => {
    const version = await eximVersion();
    console.log(/^Exim version .*/m.exec(version)?.[0]);
    expect(version).toMatch(/^Authenticators: .*\bdovecot\b/m);
    const folder = resources.use(temporaryFolder('auth-exim')).path;
    await chmod(folder, 0o755);
    const files = await certificateFiles(folder);
    await expectDone('chown', ['Debian-exim', files.key, files.cert]);
    socket = join(folder, 'auth');
    recipe = await authRecipe('exim', folder, '/run/postern/exim', socket);
    users = resources.use(await joesDatabase());
    server = await startPostern(...recipe.withConfig());
    resources.defer(() => server[Symbol.asyncDispose]());
    const configuration = (tlsPort: number) =>
      replaceEach(recipeFile('exim', '/etc/exim4/exim4.conf'), {
        '465': String(tlsPort),
        '/run/postern/exim': socket,
        '/etc/exim4/fullchain.pem': files.cert,
        '/etc/exim4/key.pem': files.key,
        '/var/spool/exim4': join(folder, 'spool'),
        '/var/log/exim4': join(folder, 'log'),
      });
    const exim = resources.use(await startExim(folder, configuration));
    const { ca: authority } = await testCertificates();
    const tunnel = resources.use(await startTunnel(exim.tlsPort, authority));
    target = { port: exim.port, tunnelPort: tunnel.port, ca: files.ca, authority };
  });

  afterAll(() => resources.close());

  describeLogins(() => target, { temporary: /^435 / });

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
});

const RESTARTS = 3;
