import { readFileSync, writeFileSync } from 'node:fs';
import { get as getHttp, type IncomingMessage, type RequestOptions } from 'node:http';
import { get as getHttps } from 'node:https';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CertificateFiles, certificateFiles } from '../support/certificates.ts';
import { runInProcess, startInProcess } from '../support/in-process.ts';
import { startPostern } from '../support/postern.ts';
import { words } from '../support/program.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/temporary-folder.ts';

const USERS = words`--auth memory:joe:s3cret`;
const BASIC = `Basic ${Buffer.from('joe:s3cret').toString('base64')}`;

let folder: TemporaryFolder;
let files: CertificateFiles;
beforeAll(async () => {
  folder = temporaryFolder('http-listener');
  files = await certificateFiles(folder.path);
});
afterAll(() => folder[Symbol.dispose]());

describe('the schemes of /nginx/request', () => {
  it.each([
    [[], ['Basic', 'SCRAM-SHA-256', 'Digest']],
    [words`--mechanisms LOGIN`, ['Basic']],
    [words`--mechanisms PLAIN,CRAM-MD5`, ['Basic', 'Digest']],
    [words`--mechanisms SCRAM-SHA-256`, ['SCRAM-SHA-256']],
  ])('with %j are %j', async (options, expected) => {
    await using server = await startInProcess(...words`--listen http://127.0.0.1:0 ${USERS} ${options}`);
    const { status, challenges } = await request(server.urls[0]);
    expect(status).toBe(401);
    const schemes = challenges.map((challenge) => challenge.split(' ')[0]);
    expect(schemes).toHaveLength(expected.length);
    expect(new Set(schemes)).toEqual(new Set(expected));
  });

  it('are those of one request where several processes serve', async () => {
    await using server = await startPostern(...words`--listen http://127.0.0.1:0 ${USERS} --workers 2`);
    const { challenges } = await request(server.urls[0]);
    expect(challenges).toEqual([expect.stringMatching(/^Basic /)]);
    expect(await request(server.urls[0], BASIC)).toMatchObject({ status: 200, user: 'joe' });
  });

  it('work over TLS', async () => {
    const tls = words`--tls-cert ${files.cert} --tls-key ${files.key}`;
    await using server = await startInProcess(...words`--listen https://127.0.0.1:0 ${USERS} ${tls}`);
    expect(await request(server.urls[0], BASIC)).toMatchObject({ status: 200, user: 'joe' });
    const wrong = `Basic ${Buffer.from('joe:wrong').toString('base64')}`;
    expect(await request(server.urls[0], wrong)).toMatchObject({ status: 401, user: undefined });
  });
});

it.each([
  ['http://127.0.0.1:0', 'EXTERNAL', '--mechanisms: expected one of PLAIN, OAUTHBEARER, SCRAM-SHA-256, CRAM-MD5'],
  ['saslauthd+unix:never-made', 'SCRAM-SHA-256', '--mechanisms: expected PLAIN for a listener of saslauthd'],
])('refuses %s with --mechanisms %s', async (url, mechanism, expected) => {
  const { code, output } = await runInProcess([...words`serve --listen ${url} ${USERS} --mechanisms ${mechanism}`]);
  expect(output).toContain(expected);
  expect(code).toBe(2);
});

describe('postern explain', () => {
  it('names the methods of /nginx/mail and the schemes of /nginx/request', async () => {
    const { output } = await runInProcess([
      ...words`explain ${USERS} --listen http://127.0.0.1:0 --listen http://0.0.0.0:0`,
    ]);
    expect(output).toContain(
      [
        'http://127.0.0.1:0: HTTP, no TLS, authentication required, for clients on this machine',
        '  /nginx/mail:',
        '    offered: plain cram-md5 apop',
        '    no: no checker for ExternalIdentity: external',
        '  /nginx/request before TLS:',
        '    offered: Basic SCRAM-SHA-256 Digest',
        '    no: no checker for BearerToken: Bearer',
        '  /nginx/request after TLS: no TLS here\n',
      ].join('\n'),
    );
    expect(output).toContain('    no: exposes the secret: needs TLS: Basic\n');
  });

  it.each([
    [words`--mechanisms PLAIN`, 'Basic', 'needs SCRAM-SHA-256 among the mechanisms: SCRAM-SHA-256'],
    [words`--mechanisms PLAIN`, 'Basic', 'needs CRAM-MD5 or DIGEST-MD5 among the mechanisms: Digest'],
    [words`--mechanisms CRAM-MD5`, 'Digest', 'needs PLAIN or LOGIN among the mechanisms: Basic'],
    [words`--workers 2`, 'Basic', 'with --workers, the two requests may reach two processes: SCRAM-SHA-256 Digest'],
  ])('gives the reason for a scheme that is missing with %j', async (options, offered, reason) => {
    const { output } = await runInProcess(words`explain ${USERS} --listen http://127.0.0.1:0 ${options}`);
    expect(output).toContain(`  /nginx/request before TLS:\n    offered: ${offered}\n`);
    expect(output).toContain(`    no: ${reason}\n`);
  });
});

it.each([
  ['http', 'idelTimeout', 'http://127.0.0.1:0'],
  ['policy', 'idelTimeout', 'policy+unix:never-made'],
])('refuses unknown names in limits.%s', async (service, name, url) => {
  const config = join(folder.path, `${service}.config.mjs`);
  writeFileSync(config, `export default { limits: { ${service}: { ${name}: 1 } } };`);
  const { code, output } = await runInProcess([...words`serve --listen ${url} ${USERS} --config ${config}`]);
  expect(output).toContain(`limits.${service}: unknown limit "${name}"; expected one of`);
  expect(code).toBe(2);
});

interface Answer {
  readonly status: number | undefined;
  readonly user: string | undefined;
  readonly challenges: readonly string[];
}

function request(url: URL | undefined, authorization?: string): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const { protocol = '', port = '' } = url ?? {};
  const options: RequestOptions = { port, path: '/nginx/request', agent: false };
  if (authorization !== undefined) options.headers = { authorization };
  const answer = (response: IncomingMessage) => {
    response.resume();
    const challenges = response.rawHeaders.filter(
      (_value, index, all) => index % 2 === 1 && all[index - 1]?.toLowerCase() === 'www-authenticate',
    );
    resolve({ status: response.statusCode, user: response.headers['x-auth-user'] as string | undefined, challenges });
  };
  const sent =
    protocol === 'https:'
      ? getHttps({ ...options, host: '127.0.0.1', servername: 'localhost', ca: readFileSync(files.ca) }, answer)
      : getHttp({ ...options, host: '127.0.0.1' }, answer);
  sent.on('error', reject);
  return promise;
}
