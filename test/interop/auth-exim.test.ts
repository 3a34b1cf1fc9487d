import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { certificateFiles, testCertificates } from '../support/certificates.ts';
import { eximVersion, skipsExim, startExim } from '../support/exim.ts';
import { type MtaTarget, openSession, plain, startTunnel } from '../support/mta-clients.ts';
import { describeLogins } from '../support/mta-logins.ts';
import { expectDone, skips } from '../support/program.ts';
import { recipeFile, replaceEach } from '../support/recipe.ts';
import { ResourceStack } from '../support/resource-stack.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { startTestAuthServer } from '../support/test-auth-server.ts';

const resources = new ResourceStack();
let target: MtaTarget;
let socket: string;
let server: AsyncDisposable;

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
    server = await startTestAuthServer(socket);
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

  it('logs each client in while the server restarts', async () => {
    let restarting = true;
    const clients = [1, 2, 3].map(async () => {
      for (let sessions = 0; restarting || sessions < 3; sessions++) {
        const { client } = await openSession(target);
        using _client = client;
        expect(await client.say(plain('joe', 's3cret'))).toMatch(/^235 /);
      }
    });
    for (let restart = 0; restart < 3; restart++) {
      const old = server;
      server = await startTestAuthServer(socket, { takeOver: true });
      await old[Symbol.asyncDispose]();
    }
    restarting = false;
    await Promise.all(clients);
  });
});
