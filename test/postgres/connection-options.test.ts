import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { connectionTarget } from '../../packages/postgres/src/connection-options.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

describe('a PostgreSQL URL', () => {
  it('has user, password, host, port and database', async () => {
    expect(await connectionTarget('postgres://mail:s3%3Acret@db.example:5433/mail%20box')).toEqual({
      host: 'db.example',
      port: 5433,
      user: 'mail',
      password: 's3:cret',
      database: 'mail box',
      applicationName: 'postern',
      tls: { rejectUnauthorized: true },
      label: 'db.example:5433',
    });
  });

  it('leaves out each part', async () => {
    expect(await connectionTarget('postgresql://')).toMatchObject({
      host: 'localhost',
      port: 5432,
      user: undefined,
      password: undefined,
      database: undefined,
    });
  });

  it.each([
    'postgres://mail@/box?host=/run/postgresql',
    'postgres:///box?host=/run/postgresql&port=5432',
    'postgres://mail@%2Frun%2Fpostgresql/box',
  ])('names a UNIX socket: %s', async (url) => {
    const target = await connectionTarget(url);
    expect(target).toMatchObject({ host: '/run/postgresql', database: 'box', tls: false });
    expect(target.label).toBe('/run/postgresql/.s.PGSQL.5432');
  });

  it.each<[string, object | false]>([
    ['localhost', false],
    ['127.0.0.5', false],
    ['[::1]', false],
    ['192.0.2.1', { rejectUnauthorized: true }],
    ['127.example', { rejectUnauthorized: true }],
    ['localhost.example', { rejectUnauthorized: true }],
    ['db.example', { rejectUnauthorized: true }],
  ])('has TLS by default unless %s is this machine', async (host, tls) => {
    expect((await connectionTarget(`postgres://mail@${host}/mail`)).tls).toEqual(tls);
  });

  it.each<[string, object | false]>([
    ['disable', false],
    ['require', { rejectUnauthorized: true }],
    ['verify-full', { rejectUnauthorized: true }],
    ['no-verify', { rejectUnauthorized: false }],
  ])('chooses TLS by sslmode=%s', async (mode, tls) => {
    expect((await connectionTarget(`postgres://mail@db.example/mail?sslmode=${mode}`)).tls).toEqual(tls);
  });

  it('names the files of certificates', async () => {
    using folder = temporaryFolder('postgres-url');
    const paths = ['ca', 'cert', 'key'].map((name) => join(folder.path, name));
    const [ca, cert, key] = paths;
    await Promise.all(paths.map((path) => writeFile(path, path)));
    const url = `postgres://db.example/mail?sslmode=verify-ca&sslrootcert=${ca}&sslcert=${cert}&sslkey=${key}`;
    expect((await connectionTarget(url)).tls).toEqual({
      ca,
      cert,
      key,
      rejectUnauthorized: true,
      checkServerIdentity: expect.any(Function),
    });
  });

  it.each([
    ['mysql://mail@localhost/mail', /a PostgreSQL URL is postgres:\/\/USER/],
    ['postgres:mail', /a PostgreSQL URL is/],
    ['host=localhost dbname=mail', /a PostgreSQL URL is/],
    ['postgres://mail:100%@localhost/mail', /percent sign/],
    ['postgres://localhost/mail?port=99999', /port .* from 1 to 65535/],
    ['postgres://localhost/mail?sslmode=prefer', /sslmode=prefer is not supported: known are disable, require/],
    ['postgres://localhost/mail?sslMode=require', /unknown parameter sslMode: known are host, /],
    ['postgres://db.example/mail?sslmode=verify-ca', /needs sslrootcert=FILE/],
    ['postgres://db.example/mail?channel_binding=require', /channel_binding=require is not supported/],
  ])('is refused: %s', async (url, message) => {
    await expect(connectionTarget(url)).rejects.toThrow(message);
    await expect(connectionTarget(url)).rejects.toThrow(TypeError);
  });

  it('keeps its password out of each error', async () => {
    const password = 'unguessable';
    const broken = fc.constantFrom(
      '',
      ':',
      '%',
      '@',
      '#',
      '?',
      '/',
      '[',
      ' ',
      '%0',
      '\\',
      ':99999',
      '?x=',
      '?sslmode=x',
    );
    await fc.assert(
      fc.asyncProperty(broken, broken, broken, async (...parts) => {
        const url = `postgres://mail${parts[0]}:${password}${parts[1]}@db.example${parts[2]}/mail`;
        const error: unknown = await connectionTarget(url).catch((reason: unknown) => reason);
        if (error instanceof Error) expect(inspect(error, { showHidden: true })).not.toContain(password);
      }),
    );
  });
});
