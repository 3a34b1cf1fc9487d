import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AuthRecipe, authRecipe, joesDatabase, restart } from '../support/auth-recipe.ts';
import { certificateFiles, testCertificates } from '../support/certificates.ts';
import { DOWN } from '../support/failing-users.ts';
import { type MtaTarget, openSession, plain } from '../support/mta-clients.ts';
import { logInDuring } from '../support/mta-logins.ts';
import { type RunningPostern, startPostern } from '../support/postern.ts';
import { mainParameters, skipsPostfix, startPostfix } from '../support/postfix.ts';
import { run } from '../support/program.ts';
import { recipeFile, replaceEach } from '../support/recipe.ts';
import { ResourceStack } from '../support/resource-stack.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const resources = new ResourceStack();
let target: MtaTarget;
let recipe: AuthRecipe;
let args: readonly string[];
let server: RunningPostern;

describe.skipIf(skipsPostfix())('a Postfix with Cyrus SASL, by docs/recipes/postfix.md', () => {
  beforeAll(async () => {
    console.log((await run('postconf', ['mail_version'])).output.trim());
    const folder = resources.use(temporaryFolder('auth-saslauthd')).path;
    await chmod(folder, 0o755);
    const files = await certificateFiles(folder);
    const mux = join(folder, 'mux');
    recipe = await authRecipe('postfix', folder, '/run/postern/mux', mux);
    args = recipe.withUsers(resources.use(await joesDatabase()).spec);
    server = await startPostern(...args);
    resources.defer(() => server[Symbol.asyncDispose]());
    const main = replaceEach(recipeFile('postfix', '/etc/postfix/main.cf'), {
      '/etc/postfix/key.pem': files.key,
      '/etc/postfix/fullchain.pem': files.cert,
      'smtpd_sasl_type = dovecot': 'smtpd_sasl_type = cyrus',
      'smtpd_sasl_path = postern/auth': 'smtpd_sasl_path = smtpd',
    });
    const master = recipeFile('postfix', '/etc/postfix/master.cf');
    const postfix = resources.use(
      await startPostfix(mainParameters(main), (address) =>
        replaceEach(master, { 'submission inet n - y': `${address} inet n - n` }),
      ),
    );
    await mkdir(join(postfix.config, 'sasl'));
    const smtpd = replaceEach(recipeFile('postfix', '/etc/postfix/sasl/smtpd.conf'), { '/run/postern/mux': mux });
    await writeFile(join(postfix.config, 'sasl', 'smtpd.conf'), smtpd);
    target = { port: postfix.port, ca: files.ca, authority: (await testCertificates()).ca };
  });

  afterAll(() => resources.close());

  it.each([
    ['joe', 's3cret', /^235 2\.7\.0 /],
    ['joe', 'wrong', /^535 5\.7\.8 /],
    ['joe', '', /^535 5\.7\.8 /],
  ])('answers for %s with the password "%s" by %s', async (user, password, reply) => {
    const { client, ehlo } = await openSession(target);
    using _client = client;
    expect(ehlo).toMatch(/^250[- ]AUTH (?:PLAIN LOGIN|LOGIN PLAIN)\r$/m);
    expect(await client.say(plain(user, password))).toMatch(reply);
  });

  it('logs each client in while a new server takes over from the old one', async () => {
    const replies = await logInDuring(
      () => target,
      async () => {
        for (let count = 0; count < RESTARTS; count++) server = await restart(server, args);
      },
    );
    expect(replies.filter((reply) => !reply.startsWith('235 '))).toEqual([]);
  });

  it('answers 454 when the back end is down', async () => {
    const [listen = '', url = ''] = args;
    server = await restart(server, [listen, url, '--config', recipe.config]);
    const { client } = await openSession(target);
    using _client = client;
    expect(await client.say(plain(DOWN, 's3cret'))).toMatch(/^454 4\.7\.0 /);
  });
});

const RESTARTS = 3;
