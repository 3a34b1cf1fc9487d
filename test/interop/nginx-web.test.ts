import { once } from 'node:events';
import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { HttpHandler } from '@postern/http/node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { digestAnswer, SCRAM_FIRST, scramAnswer } from '../http/web-client.ts';
import { type CertificateFiles, certificateFiles } from '../support/certificates.ts';
import { dumpPage } from '../support/chromium.ts';
import { freePort } from '../support/free-port.ts';
import { skipsNginx, startNginx } from '../support/nginx.ts';
import { type RunningPostern, startPostern } from '../support/postern.ts';
import { type Ended, run, skips, words } from '../support/program.ts';
import { recipeArguments, recipeFile, replaceEach } from '../support/recipe.ts';
import { ResourceStack } from '../support/resource-stack.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** The address of the client. nginx connects to Postern from 127.0.0.1. */
const CLIENT = '127.0.0.9';

/** The address of a client who guesses passwords. */
const GUESSER = '127.0.0.10';

/** The failed logins of a user after which the throttle refuses this user from this address. */
const MAX_GUESSES = 10;

/** An expired Digest: other clients get the challenge of Basic from nginx 1.22. */
const EXPIRED_DIGEST = digestAnswer('realm="www.example.com", nonce="expired"', 'GET', '/app/', 'secret');

/** The ports of the recipe. */
const PORTS = { front: 443, auth: 8025, app: 8080 } as const;

const resources = new ResourceStack();
let folder: string;
let files: CertificateFiles;
let ports: Readonly<Record<keyof typeof PORTS, number>>;
let postern: RunningPostern;

describe.skipIf(skipsNginx() || skips('curl', 'curl'))('the recipe docs/recipes/nginx-web.md', () => {
  beforeAll(async () => {
    console.log((await run('nginx', ['-v'])).output.trim());
    console.log((await run('curl', ['--version'])).output.split('\n')[0]);
    folder = resources.use(temporaryFolder('nginx-web')).path;
    await chmod(folder, 0o755);
    files = await certificateFiles(folder);
    await mkdir(join(folder, 'www'));
    await writeFile(join(folder, 'www/index.html'), '<p>a static page</p>\n');
    const app = await startApp();
    ports = { front: await freePort(), auth: await freePort(), app };
    postern = await startServer();
    resources.defer(() => postern.stop());
    resources.defer(() => expect(postern.output()).not.toMatch(/s3cret|czNjcmV0/));
    resources.use(await startNginx(folder, nginxConfig()));
  });

  afterAll(() => resources.close());

  it('gets the static page with Basic', async () => {
    const { code, output } = await curl('/', words`--user joe:s3cret`);
    expect(output).toContain('a static page');
    expect(code).toBe(0);
  });

  it.each(['joe:wrong', 'nobody:s3cret'])('gets 401 and the challenge for %s', async (user) => {
    const { code, output } = await curl('/', words`--include --user ${user}`);
    expect(output).toMatch(/^HTTP\/1\.1 401 /m);
    expect(output).toMatch(/^WWW-Authenticate: Basic realm="www\.example\.com"/m);
    expect(output).not.toContain('a static page');
    expect(code).toBe(CURL_HTTP_ERROR);
  });

  it('gets 401 and the challenge without a login', async () => {
    const { output } = await curl('/', ['--include']);
    expect(output).toMatch(/^HTTP\/1\.1 401 .*^WWW-Authenticate: Basic /ms);
  });

  it('passes the name of the user to the back end, and no password', async () => {
    const { output } = await curl('/app/', ['--user', 'jörg:s3cret', '--header', 'X-Auth-User: forged']);
    expect(output).toBe('user=j%C3%B6rg authorization=undefined body=');
  });

  it('gets the page with POST, whose body goes to the back end alone', async () => {
    const { output } = await curl('/app/', words`--user joe:s3cret --data hello`);
    expect(output).toBe('user=joe authorization=undefined body=hello');
  });

  it('gets the page with Bearer', async () => {
    expect((await curl('/app/', words`--oauth2-bearer t0ken`)).output).toMatch(/^user=joe /);
    const { output } = await curl('/app/', words`--include --oauth2-bearer wrong`);
    expect(output).toMatch(/^HTTP\/1\.1 401 .*^WWW-Authenticate: Bearer .*error="invalid_token"/ms);
  });

  it.each([
    ['GET', '/app/?a=%20b', []],
    ['POST', '/app/', ['--data', 'hello']],
  ])('gets the page with Digest over the method %s and the target %s', async (method, target, options) => {
    const challenge = await challengeTo(EXPIRED_DIGEST);
    const authorization = digestAnswer(challenge, method, target, 'secret');
    const { output } = await curl(target, [...options, '--header', `Authorization: ${authorization}`]);
    expect(output).toMatch(/^user=ann authorization=undefined /);
  });

  it('refuses the digest of another target', async () => {
    const authorization = digestAnswer(await challengeTo(EXPIRED_DIGEST), 'GET', '/other', 'secret');
    const { output } = await curl('/app/', ['--include', '--header', `Authorization: ${authorization}`]);
    expect(output).toMatch(/^HTTP\/1\.1 40[13] /m);
    expect(output).not.toContain('user=');
  });

  it('gets the page with SCRAM-SHA-256 (RFC 7804)', async () => {
    const authorization = scramAnswer(await challengeTo(SCRAM_FIRST), 'secret');
    const { output } = await curl('/app/', ['--header', `Authorization: ${authorization}`]);
    expect(output).toMatch(/^user=ann /);
  });

  it.skipIf(skips('chromium', 'chromium'))('shows Chromium the page with the challenge of Basic', async () => {
    const { output } = await dumpPage(`https://joe:s3cret@localhost:${ports.front}/`, ['--ignore-certificate-errors']);
    expect(output).toContain('a static page');
  });

  it('counts the guesses of a client by its own address', async () => {
    const guess = (password: string): Promise<Ended> =>
      curl('/', words`--include --interface ${GUESSER} --user joe:${password}`);
    const guesses = Array.from({ length: MAX_GUESSES }, (_, index) => guess(`guess${index}`));
    for (const { output } of await Promise.all(guesses)) expect(output).toMatch(/^HTTP\/1\.1 401 /m);
    // The password is right.
    const { code, output } = await guess('s3cret');
    expect(output).toMatch(/^HTTP\/1\.1 403 /m);
    expect(output).not.toContain('a static page');
    expect(code).toBe(CURL_HTTP_ERROR);
    expect(await curl('/', words`--user joe:s3cret`)).toMatchObject({ code: 0 });
    await postern.said(new RegExp(GUESSER.replaceAll('.', '\\.')));
  });
});

/** Starts a back end that answers with what nginx has told it. Resolves to its port. */
async function startApp(): Promise<number> {
  const answer: HttpHandler = async (request, response) => {
    const { authorization, 'x-auth-user': user } = request.headers;
    const body = await text(request);
    response.end(`user=${String(user)} authorization=${authorization} body=${body}`);
  };
  const app = createServer(answer);
  await once(app.listen(0, '127.0.0.1'), 'listening');
  resources.defer(() => {
    app.close();
    app.closeAllConnections();
  });
  return (app.address() as { port: number }).port;
}

/** Starts the command of the recipe with ports of this test, and users in memory. */
async function startServer(): Promise<RunningPostern> {
  const [config, secret] = [join(folder, 'postern.config.ts'), join(folder, 'nginx.secret')];
  // Node finds the packages from there.
  await symlink(fileURLToPath(new URL('../../node_modules', import.meta.url)), join(folder, 'node_modules'));
  await writeFile(join(folder, 'package.json'), '{"type":"module"}');
  await writeFile(config, USERS);
  await writeFile(secret, 'nginx-secret\n', { mode: 0o600 });
  const args = recipeArguments('nginx-web', {
    '127.0.0.1:8025': `127.0.0.1:${ports.auth}`,
    '/etc/postern/nginx.secret': secret,
    '--auth sqlite:/var/lib/postern/users.db': `--config ${config}`,
  });
  return await startPostern(...args);
}

const USERS = `
import { checker } from '@postern/cred';
import { BearerToken } from '@postern/sasl';
import { defineConfig } from 'postern';

const tokens = checker([BearerToken], ({ token }) => (token === 't0ken' ? 'joe' : undefined));
export default defineConfig({ auth: ['memory:joe:s3cret', 'memory:jörg:s3cret', 'memory:ann:secret', tokens] });
`;

/** Returns the configuration of the recipe with ports and paths of this test. */
function nginxConfig(): string {
  return replaceEach(recipeFile('nginx-web', '/etc/nginx/nginx.conf'), {
    [`0.0.0.0:${PORTS.front}`]: `127.0.0.1:${ports.front}`,
    [`127.0.0.1:${PORTS.auth}`]: `127.0.0.1:${ports.auth}`,
    [`127.0.0.1:${PORTS.app}`]: `127.0.0.1:${ports.app}`,
    'worker_processes auto': 'worker_processes 1',
    '/run/nginx.pid': join(folder, 'nginx.pid'),
    '/var/log/nginx/error.log': 'stderr',
    '/etc/nginx/fullchain.pem': files.cert,
    '/etc/nginx/privkey.pem': files.key,
    '/srv/www': join(folder, 'www'),
  });
}

/** Resolves to the challenge that nginx passes on to a client with this Authorization field. */
async function challengeTo(authorization: string): Promise<string> {
  const { output } = await curl('/app/', ['--include', '--header', `Authorization: ${authorization}`]);
  return /^WWW-Authenticate: (.*)\r$/m.exec(output)?.[1] ?? '';
}

function curl(path: string, options: readonly string[] = []): Promise<Ended> {
  return run('curl', [
    ...words`--silent --show-error --ipv4 --fail-with-body --interface ${CLIENT} --cacert ${files.ca}`,
    ...options,
    `https://localhost:${ports.front}${path}`,
  ]);
}

/** The exit code of curl for a status of 400 and above, with `--fail-with-body`. */
const CURL_HTTP_ERROR = 22;
