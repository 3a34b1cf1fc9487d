import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inspect } from 'node:util';
import {
  AvatarRealm,
  PasswordProof,
  Portal,
  TemporaryFailure,
  UnauthorizedLogin,
  UsernamePassword,
} from '@postern/cred';
import { PostgresUserStore, type PostgresUserStoreOptions } from '@postern/postgres';
import { ScramSecret, ScramSha256Credentials } from '@postern/sasl';
import { FakeClock, TestAvatar, testMind, type UserStoreFault, userStoreContract } from '@postern/testing';
import { UserChecker, type UserRecord, UserStoreError } from '@postern/users';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { explainLoginFailure } from '../../packages/postern/src/login-failure.ts';
import { testCertificates } from '../support/certificates.ts';
import { testContract } from '../support/contract.ts';
import { type RunningPostgres, skipsPostgres, startPostgres } from '../support/postgres.ts';

describe.skipIf(skipsPostgres())('PostgresUserStore', () => {
  let server: RunningPostgres;
  let scram: string;

  beforeAll(async () => {
    const { server: certificate } = await testCertificates();
    server = await startPostgres({ certificate });
    scram = (await ScramSecret.derive('pencil', { hash: 'sha256', iterations: 4096 })).format('rfc5803');
  });
  afterAll(() => server[Symbol.asyncDispose]());

  let schemas = 0;
  /** Returns the name of a schema for tables of a test's own. */
  const newSchema = (): string => `tables_${++schemas}`;
  /** Opens a store over TCP with a password. */
  const open = (options: PostgresUserStoreOptions = {}): Promise<PostgresUserStore> =>
    PostgresUserStore.open(urlOf('mail:s3cret'), { schema: newSchema(), ...options });
  const urlOf = (role: string): string => `postgres://${role}@127.0.0.1:${server.port}/mail`;

  describe('contract', () => {
    const make = async (users: readonly UserRecord[], options: Partial<PostgresUserStoreOptions> = {}) => {
      const store = await open(options);
      await store.addAll(users);
      return { store, dispose: () => store[Symbol.asyncDispose]() };
    };
    const fault = (
      name: string,
      breakDown: () => Promise<void>,
      restore: () => Promise<void>,
      options?: Partial<PostgresUserStoreOptions>,
    ): UserStoreFault => ({
      name,
      make: async (users) => ({ ...(await make(users, options)), breakDown, restore }),
    });
    testContract(
      userStoreContract({
        make,
        hasInterfaces: true,
        isDatabase: true,
        faults: [
          fault(
            'a fast stop',
            () => server.stop('fast'),
            () => server.start(),
          ),
          fault(
            'an immediate stop',
            () => server.stop('immediate'),
            () => server.start(),
          ),
          fault(
            'a server that hangs',
            () => server.hang(),
            () => server.resume(),
            { queryTimeout: 200 },
          ),
          fault(
            'a server that hangs and has no free connection',
            () => server.hang(),
            () => server.resume(),
            { queryTimeout: 200, maxConnections: 1 },
          ),
        ],
      }),
    );
  });

  describe('tables', () => {
    it('are created once by processes that start at the same time', async () => {
      const schema = newSchema();
      const stores = await Promise.all(Array.from({ length: 5 }, () => open({ schema })));
      await stores[0]?.add({ name: 'joe', secrets: [scram] });
      expect(await stores[4]?.find('joe')).toMatchObject({ name: 'joe' });
      await Promise.all(stores.map((store) => store[Symbol.asyncDispose]()));
    });

    it('hold one server key of SCRAM for all processes', async () => {
      const schema = newSchema();
      const stores = await Promise.all(Array.from({ length: 5 }, () => open({ schema })));
      const keys = stores.map(({ scramKey }) => Buffer.from(scramKey).toString('hex'));
      expect(keys[0]).toMatch(/^[0-9a-f]{64}$/);
      expect(new Set(keys).size).toBe(1);
      await using other = await open({ schema: newSchema() });
      expect(Buffer.from(other.scramKey).toString('hex')).not.toBe(keys[0]);
      expect(inspect(stores[0], { depth: 5, showHidden: true })).not.toContain('scramKey: ');
      await server.sql(`DELETE FROM ${schema}.keys`);
      await expect(open({ schema })).rejects.toThrow('has no SCRAM key: restore the table `keys` from a copy');
      await Promise.all(stores.map((store) => store[Symbol.asyncDispose]()));
    });

    it('of a newer version are refused', async () => {
      const schema = newSchema();
      await using _store = await open({ schema });
      await server.sql(`UPDATE ${schema}.schema_version SET version = 1000`);
      await expect(open({ schema })).rejects.toThrow('of a newer Postern: version 1000');
    });

    it('have the schema that the option names, whatever its letters', async () => {
      await using one = await open({ schema: 'One "quoted"' });
      await using two = await open({ schema: 'two' });
      await one.add({ name: 'joe', secrets: [] });
      expect(await one.find('joe')).toBeDefined();
      expect(await two.find('joe')).toBeUndefined();
    });

    it('serve a role that may only read', async () => {
      const schema = newSchema();
      await using store = await open({ schema });
      await store.add({ name: 'joe', secrets: [scram] });
      await server.sql(
        `CREATE ROLE reader LOGIN PASSWORD 'r'; GRANT USAGE ON SCHEMA ${schema} TO reader;
         GRANT SELECT ON ALL TABLES IN SCHEMA ${schema} TO reader`,
      );
      await using reader = await PostgresUserStore.open(urlOf('reader:r'), { schema });
      expect(await reader.find('joe')).toMatchObject({ name: 'joe' });
      await expect(reader.update('joe', (user) => ({ ...user, enabled: false }))).rejects.toThrow(
        /forbids the role to do this: grant the privilege/,
      );
    });

    it('need a database in UTF-8', async () => {
      await server.sql("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0 OWNER mail");
      const url = `postgres://mail:s3cret@127.0.0.1:${server.port}/latin`;
      await expect(PostgresUserStore.open(url)).rejects.toThrow("encoding LATIN1: create it with ENCODING 'UTF8'");
    });
  });

  describe('users', () => {
    it('with NUL or half a surrogate pair are refused', async () => {
      await using store = await open();
      for (const text of ['a\0', 'a\ud800']) {
        await expect(store.add({ name: 'joe', secrets: [], scopes: [text] })).rejects.toThrow(TypeError);
      }
      expect(await store.find('joe\0')).toBeUndefined();
    });

    it('with a record that was damaged by hand are an error of the operator', async () => {
      const schema = newSchema();
      await using store = await open({ schema });
      await store.add({ name: 'joe', secrets: [scram] });
      await server.sql(`UPDATE ${schema}.users SET record = record - 'secrets'`);
      await expect(store.find('joe')).rejects.toThrow('the record of the user "joe" in the database is malformed');
      await expect(store.find('joe')).rejects.toThrow(UserStoreError);
    });

    it('copied from the roles of PostgreSQL log in with the passwords of the roles', async () => {
      await using store = await open();
      const [secret = ''] = (await server.sql("SELECT rolpassword FROM pg_authid WHERE rolname = 'mail'")).split('\n');
      await store.add({ name: 'mail', secrets: [secret] });
      expect(store.credentialInterfaces).toEqual([UsernamePassword, ScramSha256Credentials]);
      const [stored = ''] = (await store.find('mail'))?.secrets ?? [];
      expect(await ScramSecret.parse(stored)?.verifyPassword('s3cret')).toBe(true);
      expect(await ScramSecret.parse(stored)?.verifyPassword('wrong')).toBe(false);
    });
  });

  describe('credentialInterfaces', () => {
    it('follow own changes at once, and changes of others within 5 seconds', async () => {
      const schema = newSchema();
      const clock = new FakeClock();
      await using store = await open({ schema, clock });
      await using other = await open({ schema });
      await store.add({ name: 'joe', secrets: ['{PLAIN}x'] });
      const clear = store.credentialInterfaces;
      expect(clear).toEqual([PasswordProof]);
      await other.add({ name: 'ann', secrets: [scram] });
      expect(store.credentialInterfaces).toBe(clear);
      await clock.advance(5000);
      expect(store.credentialInterfaces).toBe(clear);
      await expect.poll(() => store.credentialInterfaces).toEqual([UsernamePassword, ScramSha256Credentials]);
      await other.update('ann', (user) => ({ ...user, enabled: false }));
      expect(other.credentialInterfaces).toEqual([PasswordProof]);
      await other.remove('joe');
      expect(other.credentialInterfaces).toEqual([UsernamePassword]);
    });
  });

  describe('a failure', () => {
    const failing = async (change: (url: URL) => void): Promise<TemporaryFailure> => {
      const url = new URL(urlOf('mail:s3cret'));
      url.pathname = 'postgres';
      change(url);
      const error: unknown = await PostgresUserStore.open(url.href).catch((reason: unknown) => reason);
      if (!(error instanceof TemporaryFailure)) throw new Error('expected a temporary failure', { cause: error });
      return error;
    };

    it.each<[string, (url: URL) => void, RegExp]>([
      ['a wrong password', (url) => (url.password = 'wr0ng'), /refuses the role: correct the user and the password/],
      ['no password', (url) => (url.password = ''), /asks for a password: the URL has none/],
      ['a missing database', (url) => (url.pathname = 'missing'), /does not have the database/],
      ['a forbidden schema', () => {}, /forbids the role to do this/],
      ['a closed port', (url) => (url.port = '1'), /refuses connections: start the server/],
      ['a missing socket', (url) => (url.search = 'host=/nowhere'), /does not listen: start the server/],
      ['an unknown authority', (url) => (url.search = 'sslmode=require'), /certificate that is not trusted/],
    ])('by %s says what to correct, and not the password', async (_name, change, message) => {
      const error = await failing(change);
      expect(error.message).toMatch(message);
      expect(inspect(error, { depth: 10, showHidden: true })).not.toMatch(/s3cret|wr0ng/);
    });
  });

  describe('a login', () => {
    it('is a temporary failure while the server is down, with one line for the operator', async () => {
      await using store = await open();
      await store.add({ name: 'joe', secrets: [scram] });
      // The checker reports a new hash that it cannot store while the server is down.
      await using checker = new UserChecker(store, { onError: () => {} });
      const realm = new AvatarRealm().provide(TestAvatar, (avatarId) => new TestAvatar(avatarId));
      const portal = new Portal(realm).register(checker);
      const logIn = (password: string) => portal.login(new UsernamePassword('JOE', password), testMind(), TestAvatar);
      expect((await logIn('pencil')).avatarId).toBe('joe');
      await expect(logIn('wrong')).rejects.toThrow(UnauthorizedLogin);
      await server.stop('fast');
      try {
        const error: unknown = await Promise.resolve(logIn('pencil')).catch((reason: unknown) => reason);
        expect(error).toBeInstanceOf(TemporaryFailure);
        expect(explainLoginFailure(error)).toMatch(
          /^PostgreSQL at 127\.0\.0\.1:\d+ refuses connections: start the server, or correct the address in the URL: .*$/,
        );
      } finally {
        await server.start();
      }
      expect((await logIn('pencil')).avatarId).toBe('joe');
    });
  });

  describe('a look-up', () => {
    it('is sent again if the server closes its connection', async () => {
      const schema = newSchema();
      await using store = await open({ schema });
      await store.add({ name: 'joe', secrets: [scram] });
      await using lock = await lockUsers(schema);
      const found = store.find('joe');
      const first = await waiting();
      await server.sql(`SELECT pg_terminate_backend(${first})`);
      await expect.poll(waiting).not.toBe(first);
      await lock[Symbol.asyncDispose]();
      expect(await found).toMatchObject({ name: 'joe' });
    });

    it('succeeds after an immediate stop and a start', async () => {
      const schema = newSchema();
      await using store = await open({ schema });
      await store.add({ name: 'joe', secrets: [scram] });
      // All connections of the pool are idle when the server ends them.
      await Promise.all(Array.from({ length: 10 }, () => store.find('joe')));
      await server.stop('immediate');
      await server.start();
      expect(await store.find('joe')).toMatchObject({ name: 'joe' });
      await store.update('joe', (user) => ({ ...user, enabled: false }));
      expect(await store.find('joe')).toMatchObject({ enabled: false });
    });

    it('finds the right user beside many others, whatever the characters of the names', async () => {
      await using store = await open();
      const names = ['joe', 'NULL', '{a,b}', 'c"d', 'e\\f', "g'h", 'i j', 'ü', '"', '\\', '$1', '%'];
      await store.addAll(names.map((name) => ({ name, secrets: [`{PLAIN}${name}`] })));
      const asked = [...names, ...names, 'nobody', '\ud800', ''];
      const found = await Promise.all(asked.map(async (name) => store.find(name)));
      expect(found.map((user) => user?.name)).toEqual([...names, ...names, undefined, undefined, undefined]);
    });

    it('rejects at once when its signal aborts', async () => {
      const schema = newSchema();
      await using store = await open({ schema });
      await using _lock = await lockUsers(schema);
      const controller = new AbortController();
      const found = store.find('joe', controller.signal);
      await waiting();
      const reason = new Error('the client has disconnected');
      controller.abort(reason);
      await expect(found).rejects.toBe(reason);
    });

    it('ends after `queryTimeout`, and leaves no query behind', async () => {
      const schema = newSchema();
      await using store = await open({ schema, queryTimeout: 300 });
      await using _lock = await lockUsers(schema);
      await expect(store.find('joe')).rejects.toThrow('takes longer than queryTimeout');
      expect(await server.sql(WAITING)).toBe('');
    });

    it('waits for a connection, behind at most `maxWaiting` others', async () => {
      const schema = newSchema();
      await using store = await open({
        schema,
        maxConnections: 1,
        maxWaiting: 1,
        connectTimeout: 300,
      });
      await using lock = await lockUsers(schema);
      const found = [store.find('joe')];
      await waiting();
      found.push(store.find('joe'), store.find('joe'));
      await expect(found[2]).rejects.toThrow('1 queries wait for PostgreSQL');
      await expect(found[1]).rejects.toThrow('has all connections of the pool busy: raise maxConnections');
      await lock[Symbol.asyncDispose]();
      expect(await found[0]).toBeUndefined();
    });
  });

  describe('TLS', () => {
    let tls: RunningPostgres;
    let ca: string;
    beforeAll(async () => {
      const { authority } = await testCertificates();
      // Without 127.0.0.1, and with a role that may connect only with TLS.
      const certificate = await authority.server(['localhost']);
      tls = await startPostgres({ certificate, hba: 'local all all trust\nhostssl all all all scram-sha-256' });
      ca = join(tls.folder, 'ca.pem');
      await writeFile(ca, authority.cert);
    });
    afterAll(() => tls[Symbol.asyncDispose]());

    const connect = async (host: string, query: string): Promise<string> => {
      const url = `postgres://mail:s3cret@${host}:${tls.port}/mail?${query}`;
      await using _store = await PostgresUserStore.open(url);
      // The connection stays open until the query has ended.
      return await tls.sql(
        "SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'postern'",
      );
    };

    it('checks the name and the authority of the certificate by `verify-full` and `require`', async () => {
      for (const mode of ['verify-full', 'require']) {
        expect(await connect('localhost', `sslmode=${mode}&sslrootcert=${ca}`)).toBe('t');
        await expect(connect('127.0.0.1', `sslmode=${mode}&sslrootcert=${ca}`)).rejects.toThrow('for another name');
        await expect(connect('localhost', `sslmode=${mode}`)).rejects.toThrow('name its authority by sslrootcert=FILE');
      }
    });

    it('checks only the authority by `verify-ca`, and nothing by `no-verify`', async () => {
      expect(await connect('127.0.0.1', `sslmode=verify-ca&sslrootcert=${ca}`)).toBe('t');
      await expect(connect('localhost', 'sslmode=verify-ca')).rejects.toThrow('needs sslrootcert=FILE');
      expect(await connect('127.0.0.1', 'sslmode=no-verify')).toBe('t');
    });

    it('is off on this machine by default', async () => {
      await expect(connect('127.0.0.1', '')).rejects.toThrow('does not permit the role to connect');
    });
  });

  /** Locks the table of users, so that queries wait, until the returned object is disposed of. */
  async function lockUsers(schema: string): Promise<AsyncDisposable> {
    const args = ['-h', server.folder, '-p', String(server.port), '-U', 'postgres', '-X', '-q', 'mail'];
    const psql = spawn('psql', args, { stdio: ['pipe', 'pipe', 'inherit'] });
    const ended = once(psql, 'close');
    psql.stdin.write(`BEGIN; LOCK TABLE ${schema}.users IN ACCESS EXCLUSIVE MODE;\n\\echo locked\n`);
    expect(String(await once(psql.stdout, 'data'))).toBe('locked\n');
    return {
      async [Symbol.asyncDispose]() {
        psql.stdin.end();
        await ended;
      },
    };
  }

  /** Resolves to the process of the query that waits for the lock. */
  async function waiting(): Promise<string> {
    await expect.poll(() => server.sql(WAITING)).toMatch(/^\d+$/);
    return server.sql(WAITING);
  }
});

const WAITING = "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name = 'postern'";
