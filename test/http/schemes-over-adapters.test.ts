import { Identity, identityOf } from '@postern/cred';
import { httpAuth } from '@postern/http';
import { nginxRequestHandler } from '@postern/http/nginx';
import { type HttpHandler, httpProtocol } from '@postern/http/node';
import { listen } from '@postern/node';
import { portalFor } from '@postern/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Authenticator, ask, listenOn, pageServers } from './page-servers.ts';
import { digestAnswer, SCRAM_FIRST, scramAnswer } from './web-client.ts';

const handlers: Record<string, (authenticator: Authenticator) => Promise<HttpHandler>> = {
  ...pageServers,
  nginx: async (authenticator) => nginxRequestHandler(authenticator),
};

describe.each(Object.entries(handlers))('httpAuth behind the adapter for %s', (name, handlerFor) => {
  /** nginx asks for a page of its client's at a path of its own. */
  const [path, original] =
    name === 'nginx'
      ? ['/nginx/request', { 'x-original-uri': '/?a=%20b', 'x-original-method': 'GET' }]
      : ['/?a=%20b', {}];

  it.each([
    ['the password', 'secret', 200],
    ['another password', 'wrong', 401],
  ])('checks Digest with %s', async (_kind, password, status) => {
    const page = await serve(handlerFor);
    const authorization = digestAnswer(await page.challenge('Digest', path, original), 'GET', '/?a=%20b', password);
    expect(await page.ask(path, { ...original, authorization })).toMatchObject({
      status,
      fields: { length: status === 200 ? 1 : 3 },
    });
    expect(page.mechanisms).toEqual(['Digest']);
  });

  it('refuses the digest of another target', async () => {
    const page = await serve(handlerFor);
    const authorization = digestAnswer(await page.challenge('Digest', path, original), 'GET', '/other', 'secret');
    expect((await page.ask(path, { ...original, authorization })).status).not.toBe(200);
  });

  it.each([
    ['the password', 'secret', 200],
    ['another password', 'wrong', 401],
  ])('runs SCRAM-SHA-256 over two connections with %s', async (_kind, password, status) => {
    const page = await serve(handlerFor);
    const begun = await page.ask(path, { ...original, authorization: SCRAM_FIRST });
    expect(begun).toMatchObject({ status: 401, fields: { length: 1 } });
    const authorization = scramAnswer(begun.fields[0]?.[1] ?? '', password);
    const { status: answered, fields } = await page.ask(path, { ...original, authorization });
    expect(answered).toBe(status);
    if (status === 200) expect(fields).toEqual([['Authentication-Info', expect.stringContaining('data=')]]);
    expect(page.mechanisms).toEqual(['SCRAM-SHA-256']);
  });
});

it.each(['express', 'fastify', 'hono'] as const)('%s runs over httpProtocol', async (name) => {
  const { authenticator, mechanisms } = authentication();
  const handler = await (pageServers[name] as (typeof pageServers)['node'])?.(authenticator);
  if (handler === undefined) throw new TypeError(name);
  await using listener = await listen({
    endpoint: { host: '127.0.0.1', port: 0 },
    protocol: httpProtocol(handler),
  });
  const { port } = listener.address;
  const challenge = await ask(port, '/', {});
  const [, digest = ''] = challenge.fields.find(([, value]) => value?.startsWith('Digest')) ?? [];
  const authorization = digestAnswer(digest, 'GET', '/', 'secret');
  expect(await ask(port, '/', { authorization })).toMatchObject({ status: 200, text: 'ann' });
  expect(mechanisms).toEqual(['Digest']);
});

async function serve(handlerFor: (authenticator: Authenticator) => Promise<HttpHandler>) {
  const { authenticator, mechanisms } = authentication();
  const page = await listenOn(await handlerFor(authenticator));
  const challenge = async (scheme: string, path: string, fields: Record<string, string>): Promise<string> => {
    const answer = await page.ask(path, fields);
    return answer.fields.find(([, value]) => value?.startsWith(scheme))?.[1] ?? '';
  };
  return { ...page, challenge, mechanisms };
}

function authentication() {
  const mechanisms: unknown[] = [];
  const auth = httpAuth({
    portal: portalFor({ ann: 'secret' }, Identity, identityOf),
    avatar: Identity,
    realm: 'example.com',
    limits: { minFailureDelay: 0, minChallengeDelay: 0 },
    onEvent: (event) => {
      if ('mechanism' in event) mechanisms.push(event.mechanism);
    },
  });
  onTestFinished(() => auth[Symbol.dispose]());
  const authenticator: Authenticator = (request) => auth.authenticate(request);
  return { authenticator, mechanisms };
}
