import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type AvatarId,
  type Checker,
  InMemoryUsernamePasswordDatabaseDontUse,
  LoginDenied,
  type Mind,
  type Realm,
  UsernamePassword,
} from '@postern/cred';
import { InMemoryDelivery, MessageDelivery } from '@postern/esmtp';
import {
  bindAvatar,
  bindChallenger,
  bindChecker,
  bindListener,
  bindRealm,
  identifiers,
  maildirModule,
  start,
} from '@postern/inversify';
import type { Server } from '@postern/node';
import { type Challenger, plain as plainMechanism } from '@postern/sasl';
import { settle, testMind } from '@postern/testing';
import { decorate, inject, injectable, type ServiceIdentifier } from 'inversify';
import { describe, expect, it, onTestFinished } from 'vitest';
import { containerWith, LOOPBACK, plain, say, users } from './support.ts';

async function started(container: Parameters<typeof start>[0]): Promise<Server> {
  const server = await start(container);
  onTestFinished(() => server.close({ shutdownTimeout: 0 }).catch(() => {}));
  return server;
}

const MESSAGE = ['MAIL FROM:<ann@example.com>', 'RCPT TO:<bob@example.com>', 'DATA', 'Subject: x', '', 'Hello', '.'];

describe('a server of bound parts', () => {
  it('logs a user in and accepts a message', async () => {
    const delivery = new InMemoryDelivery();
    const container = containerWith('hostname', 'checker', 'listener');
    bindAvatar(container, MessageDelivery).toConstantValue(() => delivery);
    const server = await started(container);
    const heard = await say(
      server,
      'EHLO client.example',
      `AUTH PLAIN ${plain('joe', 'password')}`,
      ...MESSAGE,
      'QUIT',
    );
    expect(heard).toMatch(/^220 mail\.example /);
    expect(heard).toMatch(/^235 /m);
    expect(heard).toMatch(/^354 .*\r\n250 .*\r\n221 /m);
    expect(delivery.messages[0]?.text).toContain('Subject: x\r\n\r\nHello\r\n');
  });

  it('delivers into Maildirs with maildirModule', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'postern-inversify-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const container = containerWith('hostname', 'checker', 'listener');
    container.load(maildirModule);
    container.bind(identifiers.MaildirFolder).toConstantValue(folder);
    await say(
      await started(container),
      'EHLO client.example',
      `AUTH PLAIN ${plain('joe', 'password')}`,
      ...MESSAGE,
      'QUIT',
    );
    const inbox = join(folder, 'bob@example.com', 'new');
    const [file] = await readdir(inbox);
    expect(await readFile(join(inbox, String(file)), 'utf8')).toContain('Hello');
  });

  it('has injectable classes of the application, with their dependencies', async () => {
    const Users = Symbol.for('Users') as ServiceIdentifier<ReadonlyMap<string, string>>;
    class UserChecker implements Checker<UsernamePassword> {
      readonly credentialInterfaces = [UsernamePassword] as const;
      readonly #users: ReadonlyMap<string, string>;
      constructor(users: ReadonlyMap<string, string>) {
        this.#users = users;
      }
      requestAvatarId({ username, password }: UsernamePassword): AvatarId {
        if (this.#users.get(username) !== password) throw new LoginDenied('policy');
        return username;
      }
    }
    decorate(injectable(), UserChecker);
    decorate([inject(Users)], UserChecker, 0);
    class AppRealm implements Realm {
      requestAvatar<A>() {
        return { avatar: new InMemoryDelivery() as A };
      }
    }
    decorate(injectable(), AppRealm);

    const container = containerWith('hostname', 'listener');
    container.bind(Users).toConstantValue(new Map([['joe', 's3cret']]));
    bindChecker(container, 'users').to(UserChecker);
    bindRealm(container).to(AppRealm);
    const heard = await say(
      await started(container),
      'EHLO client.example',
      `AUTH PLAIN ${plain('joe', 's3cret')}`,
      'QUIT',
    );
    expect(heard).toMatch(/^235 /m);
  });

  it('has parts that are promises', async () => {
    const container = containerWith('hostname', 'avatar', 'listener');
    bindChecker(container, 'slow').toDynamicValue(async () => {
      await settle();
      return users();
    });
    const heard = await say(
      await started(container),
      'EHLO client.example',
      `AUTH PLAIN ${plain('joe', 'password')}`,
      'QUIT',
    );
    expect(heard).toMatch(/^235 /m);
  });

  it('asks the checkers with an order from the lowest to the highest', async () => {
    const container = containerWith('hostname', 'avatar', 'listener');
    const asked: string[] = [];
    const database = (name: string): Checker<UsernamePassword> => ({
      credentialInterfaces: [UsernamePassword],
      requestAvatarId(credentials) {
        asked.push(name);
        return new InMemoryUsernamePasswordDatabaseDontUse({ joe: 'password' }).requestAvatarId(credentials);
      },
    });
    bindChecker(container, 'third', { order: 30 }).toConstantValue(database('third'));
    bindChecker(container, 'first', { order: 1 }).toConstantValue(database('first'));
    bindChecker(container, 'second', { order: 2 }).toConstantValue(database('second'));
    const portal = await container.getAsync(identifiers.Portal);
    await Promise.resolve(portal.login(new UsernamePassword('nobody', ''), testMind(), MessageDelivery)).catch(
      () => {},
    );
    expect(asked).toEqual(['first', 'second', 'third']);
  });

  it('guards all checkers with one throttle, if one is bound', async () => {
    const container = containerWith('hostname', 'avatar', 'checker', 'listener');
    container.bind(identifiers.Throttle).toConstantValue({ network: { failures: 2, window: 60_000 } });
    const portal = await container.getAsync(identifiers.Portal);
    const mind: Mind = testMind();
    const login = async (username: string) =>
      Promise.resolve(portal.login(new UsernamePassword(username, 'wrong'), mind, MessageDelivery)).catch(
        (error: unknown) => error,
      );
    expect([await login('a'), await login('b'), await login('joe')]).toEqual([
      expect.objectContaining({ name: 'UnauthorizedLogin' }),
      expect.objectContaining({ name: 'UnauthorizedLogin' }),
      expect.objectContaining({ reason: 'too-many' }),
    ]);
  });

  it('has the bound challengers before the default ones, and in place of one with the same mechanism', async () => {
    const container = containerWith('hostname', 'avatar', 'checker', 'listener');
    const mine: Challenger = { ...plainMechanism() };
    const other: Challenger = { ...plainMechanism(), mechanism: 'X-OTHER' };
    bindChallenger(container, 'mine').toConstantValue(mine);
    bindChallenger(container, 'other').toConstantValue(other);
    const challengers = await container.getAsync(identifiers.Challengers);
    expect(challengers.slice(0, 2)).toEqual([mine, other]);
    expect(challengers.filter(({ mechanism }) => mechanism === 'PLAIN')).toEqual([mine]);
    expect(await say(await started(container), 'EHLO client.example', 'QUIT')).toMatch(/AUTH PLAIN X-OTHER /);
  });

  it('has the differences of one listener', async () => {
    const container = containerWith('hostname', 'avatar', 'checker');
    bindListener(container, 'other').toResolvedValue(
      (esmtp) => ({ endpoint: LOOPBACK, protocol: esmtp({ hostname: 'other.example' }) }),
      [identifiers.Esmtp],
    );
    expect(await say(await started(container), 'QUIT')).toMatch(/^220 other\.example /);
  });
});

describe('a server closes', () => {
  it('in order: the listeners, the logins, the checkers, the realm; once', async () => {
    const order: string[] = [];
    const container = containerWith('hostname', 'listener');
    class Left extends InMemoryDelivery implements AsyncDisposable {
      async [Symbol.asyncDispose](): Promise<void> {
        await settle();
        order.push('logged out');
      }
    }
    bindRealm(container).toConstantValue({
      requestAvatar<A>() {
        const avatar = new Left();
        return { avatar: avatar as A, logout: () => avatar[Symbol.asyncDispose]() };
      },
      async [Symbol.asyncDispose]() {
        order.push('realm disposed of');
      },
    } as Realm);
    bindChecker(container, 'users').toConstantValue(
      Object.assign(users(), { [Symbol.dispose]: () => void order.push('checker disposed of') }),
    );
    const server = await started(container);
    const socket = connect(server.listeners[0]?.address.port ?? 0, '127.0.0.1');
    socket.setEncoding('latin1').write(`EHLO client.example\r\nAUTH PLAIN ${plain('joe', 'password')}\r\n`);
    let heard = '';
    while (!/^235 /m.test(heard)) heard += String((await once(socket, 'data'))[0]);
    socket.on('data', (text) => {
      heard += String(text);
    });
    const closed = once(socket, 'close');
    await Promise.all([server.close(), server.close()]);
    await closed;
    expect(heard).toMatch(/^421 /m);
    expect(order).toEqual(['logged out', 'checker disposed of', 'realm disposed of']);
    expect(container.get(identifiers.Portal).openLogins).toBe(0);
  });

  it('at the end of `await using`', async () => {
    let port = 0;
    {
      await using server = await start(containerWith('hostname', 'avatar', 'checker', 'listener'));
      port = server.listeners[0]?.address.port ?? 0;
    }
    const socket = connect(port, '127.0.0.1');
    const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
    expect(error.code).toBe('ECONNREFUSED');
  });

  it('and logs out users of other connections', async () => {
    const container = containerWith('hostname', 'avatar', 'checker', 'listener');
    const server = await started(container);
    const portal = container.get(identifiers.Portal);
    const login = await portal.login(new UsernamePassword('joe', 'password'), testMind(), MessageDelivery);
    expect(login.avatarId).toBe('joe');
    expect(portal.openLogins).toBe(1);
    await server.close();
    expect(portal.openLogins).toBe(0);
  });

  it('all parts, and rejects with each failure by its name', async () => {
    const disposed: string[] = [];
    const container = containerWith('hostname', 'avatar', 'listener');
    bindChecker(container, 'broken', { order: 1 }).toConstantValue(
      Object.assign(users(), { [Symbol.asyncDispose]: () => Promise.reject(new Error('socket gone')) }),
    );
    bindChecker(container, 'sound', { order: 2 }).toConstantValue(
      Object.assign(users(), { [Symbol.asyncDispose]: async () => void disposed.push('sound') }),
    );
    const server = await started(container);
    const error = await server.close().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(AggregateError);
    expect((error as AggregateError).errors.map(String)).toEqual([expect.stringContaining('checker broken')]);
    expect(disposed).toEqual(['sound']);
  });
});
