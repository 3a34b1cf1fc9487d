import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { AnonymousChecker, type Checker, Credentials, type UsernamePassword } from '@postern/cred';
import { MessageDelivery } from '@postern/esmtp';
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
import { containerWith, guests, KeptDelivery, LOOPBACK } from './support.ts';

async function problemsOf(container: Container): Promise<readonly string[]> {
  const error: unknown = await start(container).then(
    (server) => server.close().then(() => 'it started'),
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(Misconfiguration);
  return (error as Misconfiguration).problems;
}

describe('at the start is told', () => {
  it('that there is no realm, and no checker', async () => {
    expect(await problemsOf(containerWith('hostname', 'listener'))).toEqual([
      expect.stringMatching(/^realm: none is bound/),
      expect.stringMatching(/^checker: none is bound/),
    ]);
  });

  it('that there is no hostname', async () => {
    expect(await problemsOf(containerWith('avatar', 'checker', 'listener'))).toEqual([
      expect.stringMatching(/^hostname: /),
    ]);
  });

  it('that there is no listener', async () => {
    expect(await problemsOf(containerWith('hostname', 'avatar', 'checker'))).toEqual([
      expect.stringMatching(/^listener: none is bound/),
    ]);
  });

  it('that two checkers judge the same, by their names', async () => {
    const container = containerWith('hostname', 'avatar', 'checker', 'listener');
    bindChecker(container, 'directory').toConstantValue(guests());
    bindChecker(container, 'anonymous').toConstantValue(new AnonymousChecker());
    expect(await problemsOf(container)).toEqual([
      expect.stringMatching(/^checker guests and checker directory: both judge PasswordProof/),
    ]);
  });

  it('that one has a place in the cascade and the other none', async () => {
    const container = containerWith('hostname', 'avatar', 'checker', 'listener');
    bindChecker(container, 'directory', { order: 1 }).toConstantValue(guests());
    expect(await problemsOf(container)).toEqual([
      expect.stringMatching(/^checker guests and checker directory: both judge/),
    ]);
  });

  it('that two have the same place in the cascade', async () => {
    const container = containerWith('hostname', 'avatar', 'listener');
    bindChecker(container, 'a', { order: 1 }).toConstantValue(guests());
    bindChecker(container, 'b', { order: 1 }).toConstantValue(guests());
    expect(await problemsOf(container)).toEqual(['checker a and checker b: have the same order, 1']);
  });

  it('that a checker judges nothing', async () => {
    const container = containerWith('hostname', 'avatar', 'checker', 'listener');
    bindChecker(container, 'idle').toConstantValue({ credentialInterfaces: [], requestAvatarId: () => 'x' });
    expect(await problemsOf(container)).toEqual([expect.stringMatching(/^checker idle: /)]);
  });

  it('that two realms are bound, or a realm beside avatars', async () => {
    const realm = { requestAvatar: () => Promise.reject(new Error('unused')) };
    const two = containerWith('hostname', 'checker', 'listener');
    bindRealm(two).toConstantValue(realm);
    bindRealm(two).toConstantValue(realm);
    expect(await problemsOf(two)).toEqual([expect.stringMatching(/^realm: bound 2 times/)]);
    const beside = containerWith('hostname', 'avatar', 'checker', 'listener');
    bindRealm(beside).toConstantValue(realm);
    expect(await problemsOf(beside)).toEqual([expect.stringMatching(/^avatar MessageDelivery: not used/)]);
  });

  it('that an avatar is bound twice, by two modules for one', async () => {
    const container = containerWith('hostname', 'avatar', 'checker', 'listener');
    container.load(maildirModule);
    container.bind(identifiers.MaildirFolder).toConstantValue('/nowhere');
    expect(await problemsOf(container)).toEqual([expect.stringMatching(/^avatar MessageDelivery: bound 2 times/)]);
  });

  it('that ESMTP has no avatar to speak to', async () => {
    class Mailbox {}
    const container = containerWith('hostname', 'checker', 'listener');
    bindAvatar(container, Mailbox).toConstantValue(() => new Mailbox());
    expect(await problemsOf(container)).toEqual([expect.stringMatching(/^avatar MessageDelivery: none/)]);
  });

  it('that two challengers have one mechanism', async () => {
    const container = containerWith('hostname', 'avatar', 'checker', 'listener');
    bindChallenger(container, 'one').toConstantValue(plain());
    bindChallenger(container, 'other').toConstantValue(plain());
    expect(await problemsOf(container)).toEqual(['challenger one and challenger other: both are PLAIN']);
  });

  it('that a listener has no protocol, or its name twice', async () => {
    const container = new Container();
    container.load(credModule, nodeModule);
    bindAvatar(container, MessageDelivery).toConstantValue(() => new KeptDelivery());
    bindChecker(container, 'guests').toConstantValue(guests());
    bindListener(container, 'submission').toConstantValue({ endpoint: LOOPBACK });
    bindListener(container, 'submission').toConstantValue({ endpoint: LOOPBACK, protocol: async () => {} });
    expect(await problemsOf(container)).toEqual([
      expect.stringMatching(/^listener submission: has no protocol/),
      expect.stringMatching(/^listener submission: bound more than once/),
    ]);
  });

  it('that a listener cannot listen: its name, the reason, and nothing is left open', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    onTestFinished(() => void taken.close());
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    const container = containerWith('hostname', 'avatar', 'listener');
    let disposed = 0;
    bindChecker(container, 'guests').toConstantValue(
      Object.assign(guests(), {
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

  it('that a listener wants TLS and there are no certificates', async () => {
    const container = containerWith('hostname', 'avatar', 'checker');
    bindListener(container, 'submissions').toConstantValue({ endpoint: LOOPBACK, tlsPolicy: 'implicit' });
    expect(await problemsOf(container)).toEqual([expect.stringMatching(/^listener submissions: .*certificates/)]);
  });

  it('which binding lacks something, where it is the application’s own', async () => {
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

  it('names a challenger that no checker serves', async () => {
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

  it('is the process’s, where nobody listens for it', async () => {
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
