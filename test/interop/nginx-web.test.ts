import { once } from 'node:events';
import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { HttpHandler } from '@postern/http/node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CertificateFiles, certificateFiles } from '../support/certificates.ts';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { freePort } from '../support/free-port.ts';
import { skipsNginx, startNginx } from '../support/nginx.ts';
import { type Ended, run, skips, words } from '../support/program.ts';
import { recipeFile, replaceEach } from '../support/recipe.ts';
import { ResourceStack } from '../support/resource-stack.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** The address of the client. nginx connects to Postern from 127.0.0.1. */
const CLIENT = '127.0.0.9';

/** The address of a client who guesses passwords. */
const GUESSER = '127.0.0.10';

/** The failed logins of a user after which the throttle refuses this user from this address. */
const MAX_GUESSES = 10;

/** The ports of the recipe. */
const PORTS = { front: 443, auth: 8025, app: 8080 } as const;

const resources = new ResourceStack();
let folder: string;
let files: CertificateFiles;
let ports: Readonly<Record<keyof typeof PORTS, number>>;
let postern: Daemon;

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
    postern = resources.use(await startServer());
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
    await postern.said(new RegExp(`login-refused ${GUESSER.replaceAll('.', '\\.')} `));
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

/** Starts the program of the recipe with ports of this test, and users in memory. */
async function startServer(): Promise<Daemon> {
  const file = join(folder, 'server.ts');
  const program = replaceEach(recipeFile('nginx-web', '/srv/postern/server.ts'), {
    "new UserChecker(await SqliteUserStore.open('/var/lib/postern/users.db'))":
      "new InMemoryUsernamePasswordDatabaseDontUse({ joe: 's3cret', jörg: 's3cret' })",
    'identityOf, Portal': 'identityOf, InMemoryUsernamePasswordDatabaseDontUse, Portal',
    'port: 8025': `port: ${ports.auth}`,
  });
  // Node finds the packages from there.
  await symlink(fileURLToPath(new URL('../../node_modules', import.meta.url)), join(folder, 'node_modules'));
  await writeFile(join(folder, 'package.json'), '{"type":"module"}');
  await writeFile(file, program);
  return await startDaemon(process.execPath, [file], /listening http/);
}

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

function curl(path: string, options: readonly string[] = []): Promise<Ended> {
  return run('curl', [
    ...words`--silent --show-error --ipv4 --fail-with-body --interface ${CLIENT} --cacert ${files.ca}`,
    ...options,
    `https://localhost:${ports.front}${path}`,
  ]);
}

/** The exit code of curl for a status of 400 and above, with `--fail-with-body`. */
const CURL_HTTP_ERROR = 22;
