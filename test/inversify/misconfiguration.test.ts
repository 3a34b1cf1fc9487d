import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { AnonymousChecker, type Checker, Credentials, type UsernamePassword } from '@postern/cred';
import { InMemoryDelivery, MessageDelivery } from '@postern/esmtp';
import {
  bindAvatar,
  bindChallenger,
  bindChecker,
  bindListener,
  bindRealm,
  credModule,
  identifiers,
  Misconfiguration,
  maildirModule,
  nodeModule,
  start,
} from '@postern/inversify';
import { plain } from '@postern/sasl';
import { Container } from 'inversify';
import { describe, expect, it, onTestFinished } from 'vitest';
import { containerWith, LOOPBACK, users } from './support.ts';

async function problemsOf(container: Container): Promise<readonly string[]> {
  const error: unknown = await start(container).then(
    (server) => server.close().then(() => 'it started'),
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(Misconfiguration);
  return (error as Misconfiguration).problems;
}

describe('start reports', () => {
  it('a missing realm and a missing checker', async () => {
    expect(await problemsOf(containerWith('hostname', 'listener'))).toEqual([
      expect.stringMatching(/^realm: none is bound/),
      expect.stringMatching(/^checker: none is bound/),
    ]);
  });

  it('a missing hostname', async () => {
    expect(await problemsOf(containerWith('avatar', 'checker', 'listener'))).toEqual([
      expect.stringMatching(/^hostname: /),
    ]);
  });

  it('a missing listener', async () => {
    expect(await problemsOf(containerWith('hostname', 'avatar', 'checker'))).toEqual([
      expect.stringMatching(/^listener: none is bound/),
    ]);
  });

  it('two checkers for the same credentials, by their names', async () => {
    const container = containerWith('hostname', 'avatar', 'checker', 'listener');
    bindChecker(container, 'directory').toConstantValue(users());
    bindChecker(container, 'anonymous').toConstantValue(new AnonymousChecker());
    expect(await problemsOf(container)).toEqual([
      expect.stringMatching(/^checker users and checker directory: both judge PasswordProof/),
    ]);
  });

  it('two checkers for the same credentials, one of them with an order', async () => {
    const container = containerWith('hostname', 'avatar', 'checker', 'listener');
    bindChecker(container, 'directory', { order: 1 }).toConstantValue(users());
    expect(await problemsOf(container)).toEqual([
      expect.stringMatching(/^checker users and checker directory: both judge/),
    ]);
  });

  it('two checkers with the same order', async () => {
    const container = containerWith('hostname', 'avatar', 'listener');
    bindChecker(container, 'a', { order: 1 }).toConstantValue(users());
    bindChecker(container, 'b', { order: 1 }).toConstantValue(users());
    expect(await problemsOf(container)).toEqual(['checker a and checker b: have the same order, 1']);
  });

  it('a checker without credentials', async () => {
    const container = containerWith('hostname', 'avatar', 'checker', 'listener');
    bindChecker(container, 'idle').toConstantValue({ credentialInterfaces: [], requestAvatarId: () => 'x' });
    expect(await problemsOf(container)).toEqual([expect.stringMatching(/^checker idle: /)]);
  });

  it('two realms, or a realm beside avatars', async () => {
    const realm = { requestAvatar: () => Promise.reject(new Error('unused')) };
    const two = containerWith('hostname', 'checker', 'listener');
    bindRealm(two).toConstantValue(realm);
    bindRealm(two).toConstantValue(realm);
    expect(await problemsOf(two)).toEqual([expect.stringMatching(/^realm: bound 2 times/)]);
    const beside = containerWith('hostname', 'avatar', 'checker', 'listener');
    bindRealm(beside).toConstantValue(realm);
    expect(await problemsOf(beside)).toEqual([expect.stringMatching(/^avatar MessageDelivery: not used/)]);
  });

  it('an avatar with two bindings', async () => {
    const container = containerWith('hostname', 'avatar', 'checker', 'listener');
    container.load(maildirModule);
    container.bind(identifiers.MaildirFolder).toConstantValue('/nowhere');
    expect(await problemsOf(container)).toEqual([expect.stringMatching(/^avatar MessageDelivery: bound 2 times/)]);
  });

  it('ESMTP without a MessageDelivery', async () => {
    class Mailbox {}
    const container = containerWith('hostname', 'checker', 'listener');
    bindAvatar(container, Mailbox).toConstantValue(() => new Mailbox());
    expect(await problemsOf(container)).toEqual([expect.stringMatching(/^avatar MessageDelivery: none/)]);
  });

  it('two challengers for one mechanism', async () => {
    const container = containerWith('hostname', 'avatar', 'checker', 'listener');
    bindChallenger(container, 'one').toConstantValue(plain());
    bindChallenger(container, 'other').toConstantValue(plain());
    expect(await problemsOf(container)).toEqual(['challenger one and challenger other: both are PLAIN']);
  });

  it('a listener without a protocol, and one name for two listeners', async () => {
    const container = new Container();
    container.load(credModule, nodeModule);
    bindAvatar(container, MessageDelivery).toConstantValue(() => new InMemoryDelivery());
    bindChecker(container, 'users').toConstantValue(users());
    bindListener(container, 'submission').toConstantValue({ endpoint: LOOPBACK });
    bindListener(container, 'submission').toConstantValue({ endpoint: LOOPBACK, protocol: async () => {} });
    expect(await problemsOf(container)).toEqual([
      expect.stringMatching(/^listener submission: has no protocol/),
      expect.stringMatching(/^listener submission: bound more than once/),
    ]);
  });

  it('a listener that cannot listen, by its name and the reason, and closes everything', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    onTestFinished(() => void taken.close());
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    const container = containerWith('hostname', 'avatar', 'listener');
    let disposed = 0;
    bindChecker(container, 'users').toConstantValue(
      Object.assign(users(), {
        [Symbol.dispose]: () => {
          disposed += 1;
        },
      }),
    );
    bindListener(container, 'taken').toConstantValue({ endpoint: { host: '127.0.0.1', port } });
    bindListener(container, 'tls').toConstantValue({ endpoint: LOOPBACK, tlsPolicy: 'implicit' });
    const error: unknown = await start(container).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ problems: [expect.stringMatching(/^listener taken: .*EADDRINUSE/)] });
    expect(error).toMatchObject({ cause: { code: 'EADDRINUSE' } });
    expect(disposed).toBe(1);
  });

  it('a listener with TLS and without certificates', async () => {
    const container = containerWith('hostname', 'avatar', 'checker');
    bindListener(container, 'submissions').toConstantValue({ endpoint: LOOPBACK, tlsPolicy: 'implicit' });
    expect(await problemsOf(container)).toEqual([expect.stringMatching(/^listener submissions: .*certificates/)]);
  });

  it('the binding of the application that lacks a dependency', async () => {
    const container = containerWith('hostname', 'avatar', 'listener');
    bindChecker(container, 'database').toResolvedValue(
      (checker) => checker as Checker<UsernamePassword>,
      [Symbol.for('Pool')],
    );
    await expect(start(container)).rejects.toThrow(/Pool.*checker database/s);
    const unfinished = containerWith('hostname', 'avatar', 'listener');
    bindChecker(unfinished, 'forgotten');
    await expect(start(unfinished)).rejects.toThrow(/checker forgotten/);
  });
});

describe('a warning', () => {
  class Token extends Credentials {
    readonly username = undefined;
  }

  it('names a challenger without a checker for its credentials', async () => {
    const container = containerWith('hostname', 'avatar', 'checker', 'listener');
    bindChallenger(container, 'tokens').toConstantValue({
      mechanism: 'X-TOKEN',
      credentials: Token,
      exposesSecret: false,
      challenge: async () => new Token(),
    });
    const warnings: string[] = [];
    container.bind(identifiers.Warn).toConstantValue((warning) => void warnings.push(warning));
    await using _server = await start(container);
    expect(warnings).toEqual([expect.stringMatching(/^challenger tokens: no checker judges Token.*X-TOKEN/)]);
  });

  it('is a warning of the process by default', async () => {
    const container = containerWith('hostname', 'avatar', 'checker', 'listener');
    bindChallenger(container, 'tokens').toConstantValue({
      mechanism: 'X-TOKEN',
      credentials: Token,
      exposesSecret: false,
      challenge: async () => new Token(),
    });
    const warned = once(process, 'warning');
    await using _server = await start(container);
    const [warning] = (await warned) as [Error];
    expect(warning).toMatchObject({ name: 'PosternWarning', message: expect.stringContaining('challenger tokens') });
  });
});
