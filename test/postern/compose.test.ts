import { Conversation } from '@postern/conversation';
import { Anonymous, type MaybePromise, UsernamePassword } from '@postern/cred';
import { Mailbox, MessageDelivery, NotifyingDelivery } from '@postern/esmtp';
import { connect } from '@postern/node';
import { dialogue, readChunk, settle, testMind } from '@postern/testing';
import { type Config, DiscardDelivery, maildir, relay } from 'postern';
import { describe, expect, it } from 'vitest';
import { compose } from '../../packages/postern/src/compose.ts';
import { DeliveryTarget } from '../../packages/postern/src/delivery-target.ts';
import { UsageError } from '../../packages/postern/src/errors.ts';
import { silentLog } from '../../packages/postern/src/log.ts';
import { startServer } from '../../packages/postern/src/serve.ts';
import { settingsOf } from '../../packages/postern/src/settings.ts';
import { RecordingDelivery } from '../esmtp/server.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

async function composed(config: Config) {
  const settings = settingsOf({ config, nameOf: (key) => key });
  return { settings, ...(await compose(settings, OUTPUT)) };
}

/** A server of this configuration, which the end of its scope closes. */
async function started(config: Config) {
  const server = await startServer(settingsOf({ config, nameOf: (key) => key }), OUTPUT);
  return Object.assign(server, { [Symbol.asyncDispose]: () => server.close(0) });
}

/** The ESMTP server of the first listener. */
async function protocolOf(config: Config) {
  const [listener] = (await composed(config)).listeners;
  if (listener === undefined) throw new Error('no listener');
  return listener.protocol;
}

describe('a composition', () => {
  it('asks the user databases in the order of --auth', async () => {
    const { portal } = await composed({ auth: ['memory:joe:one', 'memory:ann:two', 'memory:joe:three'] });
    for (const [username, password] of [
      ['joe', 'one'],
      ['ann', 'two'],
      ['joe', 'three'],
    ] as const) {
      const login = await portal.login(new UsernamePassword(username, password), testMind(), MessageDelivery);
      expect(login.avatarId).toBe(username);
    }
  });

  it('throws a UsageError for a checker without interfaces and for a relay without connections', async () => {
    const checker = { credentialInterfaces: [], requestAvatarId: () => 'joe' };
    await expect(composed({ auth: [checker] })).rejects.toThrow(UsageError);
    const deliver = relay({ to: 'smtp:192.0.2.1:25', maxConnections: 0 });
    await expect(composed({ deliver })).rejects.toThrow('relay: maxConnections: expected 1 or more, not 0');
    await expect(composed({ deliver })).rejects.toThrow(UsageError);
  });

  it('throws a UsageError for impossible options of Maildirs', async () => {
    for (const quota of [0, -1, Number.NaN]) {
      const deliver = maildir({ folder: 'mail', quota });
      await expect(composed({ deliver })).rejects.toThrow(`maildir: quota: expected a number above 0, not ${quota}`);
      await expect(composed({ deliver })).rejects.toThrow(UsageError);
    }
    expect(() => maildir({ folder: 'mail', qouta: 5 } as never)).toThrow(
      'maildir: expected folder, quota, caseSensitive, recipientDelimiter, mode, group, not "qouta"',
    );
    expect(() => maildir({} as never)).toThrow('maildir: expected a folder');
  });

  it('prepares and closes the delivery and the delivery of notifications', async () => {
    const calls: string[] = [];
    const place = (name: string): DeliveryTarget =>
      new DeliveryTarget(() => {
        const prepare = async () => void calls.push(`prepare ${name}`);
        const dispose = async () => void calls.push(`leave ${name}`);
        return Object.assign(() => new DiscardDelivery(), { prepare, [Symbol.asyncDispose]: dispose });
      });
    const { factory, portal } = await composed({
      auth: ['memory:joe:one'],
      deliver: place('deliver'),
      notify: place('notify'),
    });
    await factory.prepare?.();
    const { avatar } = await portal.login(new UsernamePassword('joe', 'one'), testMind(), MessageDelivery);
    expect(avatar).toBeInstanceOf(NotifyingDelivery);
    await (factory as Partial<AsyncDisposable>)[Symbol.asyncDispose]?.();
    expect(calls).toEqual(['prepare deliver', 'prepare notify', 'leave deliver', 'leave notify']);
  });

  it('prepares and closes a delivery once that serves both', async () => {
    const calls: string[] = [];
    const place = Object.assign(() => new DiscardDelivery(), {
      prepare: async () => void calls.push('prepare'),
      [Symbol.asyncDispose]: async () => void calls.push('leave'),
    });
    const { factory } = await composed({ deliver: place, notify: place });
    await factory.prepare?.();
    await (factory as Partial<AsyncDisposable>)[Symbol.asyncDispose]?.();
    expect(calls).toEqual(['prepare', 'leave']);
  });

  it('closes the delivery of notifications even if closing the other one fails', async () => {
    const calls: string[] = [];
    const leaving = (leave: () => MaybePromise<void>) =>
      Object.assign(() => new DiscardDelivery(), { [Symbol.asyncDispose]: async () => await leave() });
    const { factory } = await composed({
      deliver: leaving(() => {
        throw new Error('stuck');
      }),
      notify: leaving(async () => {
        await settle();
        calls.push('leave');
      }),
    });
    await expect((factory as Partial<AsyncDisposable>)[Symbol.asyncDispose]?.()).rejects.toThrow('stuck');
    expect(calls).toEqual(['leave']);
  });

  describe('with notifications', () => {
    const envelope = {
      reversePath: new Mailbox('joe', 'example.com'),
      parameters: { smtpUtf8: false },
      recipients: [{ forwardPath: new Mailbox('ann', 'example.com'), parameters: { notify: ['SUCCESS'] as const } }],
      id: '1',
    };

    async function login(notify: NonNullable<Config['notify']>) {
      const delivery = new RecordingDelivery();
      const { portal } = await composed({ auth: ['memory:joe:one'], deliver: () => delivery, notify });
      const joe = await portal.login(new UsernamePassword('joe', 'one'), testMind(), MessageDelivery);
      return { delivery, joe };
    }

    it('logs out their delivery too, if it was opened', async () => {
      const way = new RecordingDelivery();
      const { delivery, joe } = await login(() => way);
      expect(await (await joe.avatar.openMessage(envelope)).end()).toBeUndefined();
      await joe.logout('quit');
      expect(delivery.calls).toEqual(['open', 'end', 'logout']);
      expect(way.calls).toEqual(['from', 'to', 'open', 'end', 'logout']);

      const none = new RecordingDelivery();
      const { joe: silent } = await login(() => none);
      await silent.logout('quit');
      expect(none.calls).toEqual([]);
    });

    it('accepts logins and messages while their delivery is unavailable', async () => {
      const way = new RecordingDelivery();
      const ways = [
        () => {
          throw new Error('not now');
        },
        () => Promise.reject(new Error('nor now')),
        () => way,
      ];
      const { delivery, joe } = await login(() => (ways.shift() as () => RecordingDelivery)());
      for (const _ of [1, 2, 3]) {
        expect(await (await joe.avatar.openMessage(envelope)).end()).toBeUndefined();
      }
      expect(delivery.delivered).toHaveLength(3);
      expect(way.delivered).toHaveLength(1);
    });
  });

  it('enforces the quota of its Maildirs', async () => {
    using folder = temporaryFolder('compose');
    const deliver = maildir({ folder: folder.path, quota: 10 });
    const { portal } = await composed({ auth: ['memory:joe:one'], deliver });
    const { avatar } = await portal.login(new UsernamePassword('joe', 'one'), testMind(), MessageDelivery);
    const recipients = [{ forwardPath: new Mailbox('ann', 'example.com'), parameters: {} }];
    const message = await avatar.openMessage({
      reversePath: null,
      parameters: { smtpUtf8: false },
      recipients,
      id: '1',
    });
    expect(await message.end()).toMatchObject([{ code: 452, enhanced: '4.2.2' }]);
  });

  it('offers no disabled extension', async () => {
    const omitted = 'BINARYMIME|CHUNKING|DSN';
    const offer = async (config: Config) => {
      return await dialogue(await protocolOf(config), 'S: 220...\nC: EHLO client.example.org\nS: 250...', {
        tlsPolicy: 'implicit',
      });
    };
    expect((await offer({})).match(new RegExp(omitted, 'g'))).toHaveLength(3);
    const less = await offer({ disabledExtensions: ['DSN', 'CHUNKING'] });
    expect(less).not.toMatch(new RegExp(omitted));
    expect(less).toContain('REQUIRETLS');
  });

  it('accepts commands outside the grammar with `lenient`', async () => {
    const greet = async (config: Config, auth: string) => {
      return await dialogue(
        await protocolOf(config),
        `S: 220...\nC: HELO printer\nS: 250...\nC: AUTH NONE\nS: ${auth}...`,
        {
          tlsPolicy: 'implicit',
        },
      );
    };
    await greet({ lenient: true }, '504');
    await greet({}, '503');
  });

  it('refuses a client beyond its number of connections', async () => {
    await using server = await started({ listen: ['smtp://127.0.0.1:0'], limits: { maxConnectionsPerClient: 1 } });
    const [listener] = server.listeners;
    const endpoint = { host: '127.0.0.1', port: listener?.address.port ?? 0 };
    const [first, second] = [await connect({ endpoint }), await connect({ endpoint })];
    expect(String(await readChunk(first))).toMatch(/^220 /);
    expect(String(await readChunk(second))).toMatch(/^421 4\.3\.2 /);
    for (const transport of [first, second]) transport.destroy();
  });

  it('closes the oldest unauthenticated connection for a new client and keeps authenticated ones', async () => {
    await using server = await started({
      listen: ['smtp://127.0.0.1:0'],
      auth: ['memory:joe:secret'],
      limits: { maxConnections: 2 },
    });
    const [listener] = server.listeners;
    const endpoint = { host: '127.0.0.1', port: listener?.address.port ?? 0 };
    const open = async () => new Conversation(await connect({ endpoint }));
    const joe = await open();
    expect(await joe.hearLine(512)).toMatch(/^220 /);
    joe.say(`EHLO client.example.org\r\nAUTH PLAIN ${btoa('\0joe\0secret')}\r\n`);
    while (!(await joe.hearLine(512))?.startsWith('235 '));
    const [stranger, newest] = [await open(), await open()];
    expect(await stranger.hearLine(512)).toMatch(/^220 /);
    expect(await stranger.hearLine(512)).toBe('421 4.3.2 Too many connections, try again later');
    expect(await newest.hearLine(512)).toMatch(/^220 /);
    joe.say('NOOP\r\n');
    expect(await joe.hearLine(512)).toMatch(/^250 /);
    for (const conversation of [joe, stranger, newest]) conversation.destroy();
  });

  it('accepts anonymous clients only with --auth anonymous and requires AUTH of others', async () => {
    for (const [auth, isAnonymous, authentication] of [
      [['memory:joe:one'], false, 'required'],
      [['memory:joe:one', 'anonymous'], true, 'optional'],
    ] as const) {
      const { settings, portal, acceptsAnonymous, authenticationOf } = await composed({ auth });
      expect([portal.handles(Anonymous), acceptsAnonymous]).toEqual([isAnonymous, isAnonymous]);
      expect(settings.listeners.map(authenticationOf)).toEqual([authentication]);
    }
  });

  it('accepts anonymous clients at MX and LMTP listeners without opening the others', async () => {
    const listen = [
      'smtp://127.0.0.1:0',
      'smtp://127.0.0.1:0?auth=optional',
      'smtp://127.0.0.1:0?service=mx',
      'smtp://127.0.0.1:0?service=mx&auth=none',
      'lmtp://127.0.0.1:0',
      'lmtp://127.0.0.1:0?auth=required',
    ];
    const { settings, portal, acceptsAnonymous, authenticationOf, challengersOf } = await composed({
      auth: ['memory:joe:one'],
      listen,
    });
    expect([portal.handles(Anonymous), acceptsAnonymous]).toEqual([true, false]);
    expect(settings.listeners.map(authenticationOf)).toEqual([
      'required',
      'required',
      'optional',
      'none',
      'none',
      'required',
    ]);
    const mechanismsOf = (offer: typeof challengersOf) =>
      settings.listeners.slice(0, 1).flatMap((listener) => offer(listener).map(({ mechanism }) => mechanism));
    expect(mechanismsOf(challengersOf)).not.toContain('ANONYMOUS');
    const open = await composed({ auth: ['memory:joe:one', 'anonymous'], listen });
    expect(open.settings.listeners.map(open.authenticationOf).slice(0, 3)).toEqual([
      'optional',
      'optional',
      'optional',
    ]);
    expect(mechanismsOf(open.challengersOf)).toContain('ANONYMOUS');
  });

  it('throttles a client after too many failures, unless the throttle is off', async () => {
    for (const [throttle, name] of [
      [{ userAndNetwork: { failures: 1, window: 60_000 } }, 'LoginDenied'],
      [undefined, 'UnauthorizedLogin'],
      [false, 'UnauthorizedLogin'],
    ] as const) {
      const { portal } = await composed({ auth: ['memory:joe:one'], ...(throttle !== undefined && { throttle }) });
      const guess = (password: string) =>
        Promise.resolve(portal.login(new UsernamePassword('joe', password), testMind(), MessageDelivery)).catch(
          (error: unknown) => error,
        );
      expect(await guess('wrong')).toMatchObject({ name: 'UnauthorizedLogin' });
      expect(await guess('wrong as well')).toMatchObject({ name });
    }
    const { portal } = await composed({ auth: ['memory:joe:one'] });
    const guesses: unknown[] = [];
    for (let n = 0; n < 11; n += 1) {
      const login = portal.login(new UsernamePassword('joe', `guess ${n}`), testMind(), MessageDelivery);
      guesses.push(await Promise.resolve(login).catch((error: unknown) => error));
    }
    expect(guesses.at(-2)).toMatchObject({ name: 'UnauthorizedLogin' });
    expect(guesses.at(-1)).toMatchObject({ name: 'LoginDenied', reason: 'too-many' });
  });

  it('closes the checker of a config file with the server', async () => {
    let disposed = 0;
    const checker = {
      credentialInterfaces: [UsernamePassword],
      requestAvatarId: () => 'joe',
      [Symbol.dispose]: () => {
        disposed += 1;
      },
    };
    const server = await started({ auth: [checker], listen: ['smtp://127.0.0.1:0'] });
    await server.close(0);
    expect(disposed).toBe(1);
  });
});

const OUTPUT = { log: silentLog, print: async () => {} };
