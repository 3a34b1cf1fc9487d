import { checker, Identity, identityOf, type Mind } from '@postern/cred';
import { basic, bearer, digest, httpAuth, scram } from '@postern/http';
import { type NginxRequestOptions, nginxRequestHandler } from '@postern/http/nginx';
import { BearerToken } from '@postern/sasl';
import { portalFor } from '@postern/testing';
import { describe, expect, it } from 'vitest';
import { listenOn } from './page-servers.ts';
import { basicField } from './server.ts';

const ANN = { authorization: basicField('ann:secret') };
const TOKEN = { authorization: 'bearer t0ken' };
const REMOTE = { 'x-real-ip': '192.0.2.7' };

describe('nginxRequestHandler with secret', () => {
  it.each([
    ['no key', {}, 403],
    ['another key', { 'x-auth-key': 'key' }, 403],
    ['two keys', { 'x-auth-key': ['s3cret', 's3cret'] }, 403],
    ['the key', { 'x-auth-key': 's3cret' }, 200],
  ])('answers a request with %s', async (_kind, key, status) => {
    const { ask } = await serve({ secret: 's3cret' });
    const answer = await ask('/', { ...ANN, ...key });
    expect(answer).toMatchObject({ status, user: status === 200 ? 'ann' : undefined, fields: [] });
  });

  it('throws for an empty secret', () => {
    expect(() => nginxRequestHandler(() => ({ status: 403, headers: [] }), { secret: '' })).toThrow(TypeError);
  });
});

it.each(['x-original-uri', 'x-original-method', 'x-real-ip', 'x-forwarded-proto'])(
  'nginxRequestHandler answers 400 to two lines of %s',
  async (name) => {
    const { ask } = await serve({ trustRealIp: true });
    expect(await ask('/', { ...ANN, [name]: ['a', 'b'] })).toMatchObject({ status: 400 });
  },
);

it('nginxRequestHandler refuses two lines of Authorization', async () => {
  const { ask } = await serve();
  const { authorization } = ANN;
  expect(await ask('/', { authorization: [authorization, authorization] })).toMatchObject({ status: 403 });
});

describe('nginxRequestHandler offers Basic', () => {
  const trusted = { trustRealIp: true };
  it.each([
    ['to each client of an nginx on this machine', {}, { 'x-forwarded-proto': 'http' }, true],
    ['to a remote client whose scheme nginx does not name', trusted, REMOTE, true],
    ['to a remote client with TLS', trusted, { ...REMOTE, 'x-forwarded-proto': 'https' }, true],
    ['not to a remote client without TLS', trusted, { ...REMOTE, 'x-forwarded-proto': 'http' }, false],
    ['to a local client without TLS', trusted, { 'x-real-ip': '127.0.0.1', 'x-forwarded-proto': 'http' }, true],
  ])('%s', async (_kind, options, fields, isOffered) => {
    const { ask } = await serve(options);
    expect(await schemesOffered(ask, fields)).toEqual(isOffered ? ['Basic', 'Digest'] : ['Digest']);
    expect(await ask('/', { ...ANN, ...fields })).toMatchObject({ status: isOffered ? 200 : 401 });
  });

  it('not to the clients of an nginx on another machine without TLS', async () => {
    const { ask } = await serve({ trustRealIp: true }, '192.0.2.1');
    const fields = { 'x-real-ip': '127.0.0.1' };
    expect(await schemesOffered(ask, fields)).toEqual(['Digest']);
    expect(await ask('/', { ...ANN, ...fields })).toMatchObject({ status: 401 });
  });
});

describe('nginxRequestHandler begins with the challenge', () => {
  const withoutTls = { ...REMOTE, 'x-forwarded-proto': 'http' };
  it.each([
    ['of Basic', {}, ['Basic', 'Digest', 'SCRAM-SHA-256', 'Bearer']],
    ['of Digest where Basic is not offered', withoutTls, ['Digest', 'SCRAM-SHA-256']],
    ['of Bearer for a client that has used Bearer', TOKEN, ['Bearer', 'Basic', 'Digest', 'SCRAM-SHA-256']],
    ['of Basic for an unknown scheme', { authorization: 'NTLM abc' }, ['Basic', 'Digest', 'SCRAM-SHA-256', 'Bearer']],
  ])('%s', async (_kind, fields, expected) => {
    const { ask } = await serve({ trustRealIp: true }, undefined, [scram(), digest(), bearer(), basic()]);
    expect([...new Set(await schemesOffered(ask, fields))]).toEqual(expected);
  });
});

it('nginxRequestHandler believes the TLS of a trusted nginx alone', async () => {
  const fields = { ...ANN, ...REMOTE, 'x-forwarded-proto': 'https' };
  const trusting = await serve({ trustRealIp: true });
  await trusting.ask('/', fields);
  expect(trusting.minds[0]).toMatchObject({ remote: { address: '192.0.2.7' }, tls: { version: 'unknown' } });
  const other = await serve();
  await other.ask('/', fields);
  expect(other.minds[0]).toMatchObject({ remote: { address: '127.0.0.1' }, tls: undefined });
});

type Ask = Awaited<ReturnType<typeof listenOn>>['ask'];

async function schemesOffered(ask: Ask, fields: Record<string, string>): Promise<(string | undefined)[]> {
  return (await ask('/', fields)).fields.map(([, challenge = '']) => challenge.split(' ')[0]);
}

/** Serves the handler, to which each peer has the address `peer` if there is one. */
async function serve(options: NginxRequestOptions = {}, peer?: string, schemes = [digest(), basic()]) {
  const minds: Mind[] = [];
  const portal = portalFor({ ann: 'secret' }, Identity, identityOf).register(checker([BearerToken], () => undefined));
  const auth = httpAuth({ portal, avatar: Identity, realm: 'example.com', schemes });
  const handler = nginxRequestHandler((request) => {
    minds.push(request.mind);
    return auth.authenticate(request);
  }, options);
  const server = await listenOn((request, response) => {
    if (peer !== undefined) Object.defineProperty(request.socket, 'remoteAddress', { value: peer });
    return handler(request, response);
  });
  return { ...server, minds };
}
