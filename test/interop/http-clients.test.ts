import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  AvatarRealm,
  checker,
  Identity,
  InMemoryUsernamePasswordDatabaseDontUse,
  identityOf,
  Portal,
} from '@postern/cred';
import { basic, bearer, digest, httpAuth } from '@postern/http';
import { expressLogin } from '@postern/http/express';
import { type HttpHandler, nodeLogin } from '@postern/http/node';
import { BearerToken } from '@postern/sasl';
import express from 'express';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dumpPage } from '../support/chromium.ts';
import { type Ended, run, skips, words } from '../support/program.ts';

/** The schemes that a server offers, by the word of the test title. */
const SCHEMES = {
  Basic: [basic()],
  Digest: [digest()],
  // The order of the challenges: clients choose by strength.
  All: [digest(), bearer(), basic()],
} as const;
type Scheme = keyof typeof SCHEMES;
const SCHEME_NAMES = Object.keys(SCHEMES) as Scheme[];

const FRAMEWORKS = ['node:http', 'Express'] as const;
type Framework = (typeof FRAMEWORKS)[number];

const servers = new Map<string, Server>();

beforeAll(async () => {
  for (const [program, debianPackage] of [
    ['curl', 'curl'],
    ['chromium', 'chromium'],
  ] as const) {
    if (!skips(program, debianPackage)) {
      console.log(
        (await run(program, ['--version'])).output
          .trim()
          .split('\n')
          .at(program === 'curl' ? 0 : -1),
      );
    }
  }
  for (const scheme of SCHEME_NAMES) {
    for (const framework of FRAMEWORKS) {
      const server = createServer(page(scheme, framework));
      servers.set(`${scheme} ${framework}`, server);
      await once(server.listen(0, '127.0.0.1'), 'listening');
    }
  }
});

afterAll(() => {
  for (const server of servers.values()) {
    server.close();
    server.closeAllConnections();
  }
});

describe.each(SCHEME_NAMES)('%s', (scheme) => {
  describe.each(FRAMEWORKS)('on %s', (framework) => {
    describe.skipIf(skips('curl', 'curl'))('curl', () => {
      const options = scheme === 'All' ? ['--basic', '--digest'] : [`--${scheme.toLowerCase()}`];
      const [option = ''] = options;

      it.each([...options, '--anyauth'])('gets the page with %s', async (auth) => {
        const { code, output } = await curl(url(scheme, framework), words`${auth} --user joe:s3cret`);
        expect(output).toContain('hello, joe');
        expect(code).toBe(0);
      });

      it('gets the page of a user whose name and password are UTF-8', async () => {
        const { output } = await curl(url(scheme, framework), [option, '--user', 'jörg:pässwörd']);
        expect(output).toContain('hello, jörg');
      });

      it.each(['joe:wrong', 'nobody:s3cret', 'joe:', ':'])('gets 401 for %s', async (user) => {
        const { code, output } = await curl(url(scheme, framework), [...words`${option} --include`, '--user', user]);
        expect(output).toMatch(
          new RegExp(`^HTTP/1\\.1 401 .*^WWW-Authenticate: ${scheme === 'All' ? 'Digest' : scheme} `, 'ms'),
        );
        expect(output).not.toContain('hello');
        expect(code).toBe(CURL_HTTP_ERROR);
      });
    });

    if (scheme === 'All') {
      it.skipIf(skips('curl', 'curl'))('curl gets the page with a bearer token', async () => {
        const { output } = await curl(url(scheme, framework), words`--oauth2-bearer t0ken`);
        expect(output).toContain('hello, joe');
        expect(await curl(url(scheme, framework), words`--oauth2-bearer wrong`)).toMatchObject({
          code: CURL_HTTP_ERROR,
        });
      });
    }

    // Chromium takes seconds to start, and gets the same octets from both frameworks.
    if (scheme === 'All' || framework === 'Express') return;
    describe.skipIf(skips('chromium', 'chromium'))('Chromium', { concurrent: true }, () => {
      it('gets the page', async () => {
        expect((await dumpPage(url(scheme, framework, 'joe:s3cret@'))).output).toContain('hello, joe');
      });

      it('does not get the page with a wrong password', async () => {
        const { output } = await dumpPage(url(scheme, framework, 'joe:wrong@'));
        expect(output).toContain('ERR_INVALID_AUTH_CREDENTIALS');
        expect(output).not.toContain('hello');
      });
    });
  });
});

/** Returns a page that greets the user who has logged in. */
function page(scheme: Scheme, framework: Framework): HttpHandler {
  const tokens = checker([BearerToken], ({ token }) => (token === 't0ken' ? 'joe' : undefined));
  const users = new InMemoryUsernamePasswordDatabaseDontUse({ joe: 's3cret', jörg: 'pässwörd' });
  const portal = new Portal(new AvatarRealm().provide(Identity, identityOf)).register(users).register(tokens);
  const auth = httpAuth({ portal, avatar: Identity, realm: 'interop', schemes: SCHEMES[scheme] });
  if (framework === 'Express') {
    const requireLogin = expressLogin((request) => auth.authenticate(request));
    const app = express().get('/', requireLogin, (request, response) => {
      response.send(greet(requireLogin.loginOf(request).avatar));
    });
    return (request, response) => app(request, response);
  }
  const logIn = nodeLogin((request) => auth.authenticate(request));
  return async (request, response) => {
    const login = await logIn(request, response);
    if (login === undefined) return;
    response.setHeader('Content-Type', 'text/html; charset=utf-8').end(greet(login.avatar));
  };
}

function greet({ username }: Identity): string {
  return `<!doctype html><p>hello, ${username}</p>`;
}

function url(scheme: Scheme, framework: Framework, user = ''): string {
  const address = servers.get(`${scheme} ${framework}`)?.address() as AddressInfo | undefined;
  return `http://${user}localhost:${address?.port}/`;
}

function curl(page: string, options: readonly string[]): Promise<Ended> {
  return run('curl', [...words`--silent --show-error --ipv4 --fail-with-body`, ...options, page]);
}

/** The exit code of curl for a status of 400 and above, with `--fail-with-body`. */
const CURL_HTTP_ERROR = 22;
