import { createHook } from 'node:async_hooks';
import { Conversation, PeerGone } from '@postern/conversation';
import { isPromise } from '@postern/core';
import {
  AvatarRealm,
  type Checker,
  type Clock,
  InMemoryUsernamePasswordDatabaseDontUse,
  type LoginError,
  type PasswordProof,
  Portal,
} from '@postern/cred';
import { type ExchangeError, encodeBase64, encodeUtf8, plain } from '@postern/sasl';
import { ConversationMind, LoginFailures, loginOver } from '@postern/sasl-profile';
import { memoryPipe, settle, TestAvatar } from '@postern/testing';
import { withThrottle } from '@postern/throttle';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

/** A mind whose signal must not be read: an AbortController costs more than the login. */
class CheapMind extends ConversationMind {
  override get signal(): AbortSignal {
    return expect.fail('the signal was read');
  }
}

/** A clock whose timers must not start. */
const TIMERLESS: Clock = { now: () => 0, after: () => expect.fail('a timer was started') };

const POLICY = {
  undelayedLoginFailures: 3,
  loginFailureDelay: 5_000,
  maxLoginFailures: 10,
  minFailureDelay: 0,
  minChallengeDelay: 10,
};

const users = new InMemoryUsernamePasswordDatabaseDontUse({ joe: 's3cret', ann: 'hunter2' });
const slowUsers: Checker<PasswordProof> = {
  credentialInterfaces: users.credentialInterfaces,
  requestAvatarId: async (credentials) => users.requestAvatarId(credentials),
};

interface Options {
  readonly checker?: Checker<PasswordProof>;
  readonly isRealmSlow?: boolean;
  readonly clock?: Clock;
}

function setUp({ checker = users, isRealmSlow = false, clock = TIMERLESS }: Options = {}) {
  const { client, server } = memoryPipe({ tlsPolicy: 'implicit' });
  const conversation = new Conversation(server);
  const realm = new AvatarRealm().provide(TestAvatar, (avatarId) => {
    const avatar = new TestAvatar(avatarId);
    return isRealmSlow ? Promise.resolve(avatar) : avatar;
  });
  const portal = new Portal(realm, { clock }).register(checker);
  const refused: [error: LoginError | ExchangeError, username: string | undefined][] = [];
  const mind =
    checker === users && !isRealmSlow ? new CheapMind(conversation, 'x') : new ConversationMind(conversation, 'x');
  const failures = new LoginFailures(POLICY, clock);
  const logIn = (message: string) =>
    loginOver({
      conversation,
      portal,
      mind,
      challenger: plain(),
      interfaces: [TestAvatar],
      initialResponse: encodeBase64(encodeUtf8(message)),
      failures,
      onRefused: (...refusal) => void refused.push(refusal),
      prompt: (base64) => `+ ${base64}`,
      maxResponse: 1_000,
    });
  return { client, conversation, portal, refused, logIn };
}

describe('a login that waits for nothing', () => {
  it('has its outcome at once, without a promise, a timer or an AbortController', () => {
    const { conversation, portal, logIn } = setUp();
    void logIn('\0joe\0s3cret');
    const created: string[] = [];
    const hook = createHook({ init: (_id, type) => void created.push(type) }).enable();
    const outcome = logIn('\0joe\0s3cret');
    hook.disable();
    expect(created).toEqual([]);
    expect(outcome).toMatchObject({ login: { avatarId: 'joe' } });
    expect(portal.openLogins).toBe(2);
    expect(conversation.treatHalfCloseAsDisconnect).toBe(false);
  });

  it('has its outcome at once behind a throttle', () => {
    const { logIn } = setUp({ checker: withThrottle(users) });
    expect(logIn('\0ann\0hunter2')).toMatchObject({ login: { avatarId: 'ann' } });
  });

  it('is refused by a promise, reported once, and leaves no login behind', async () => {
    const { conversation, portal, refused, logIn } = setUp();
    const outcome = logIn('\0joe\0wrong');
    expect(isPromise(outcome)).toBe(true);
    expect(await outcome).toMatchObject({ error: { code: 'unauthorized' }, isTooMany: false, hasLostSync: false });
    expect(refused).toMatchObject([[{ code: 'unauthorized' }, 'joe']]);
    expect(portal.openLogins).toBe(0);
    expect(conversation.treatHalfCloseAsDisconnect).toBe(false);
  });

  it('does not begin for a client that has ended its side', async () => {
    const { client, conversation, portal, logIn } = setUp({ checker: slowUsers });
    client.end();
    await settle();
    await expect(logIn('\0joe\0s3cret')).rejects.toBeInstanceOf(PeerGone);
    expect(portal.openLogins).toBe(0);
    expect(conversation.treatHalfCloseAsDisconnect).toBe(false);
  });

  it('has the outcome that it has with a checker and a realm that wait', async () => {
    const field = fc.constantFrom('', 'joe', 'ann', 'eve', 's3cret', 'hunter2', '\u00aa', '\ud800');
    const message = fc.array(field, { minLength: 1, maxLength: 4 }).map((fields) => fields.join('\0'));
    const outcomeOf = async (options: Options, text: string): Promise<unknown> => {
      const { logIn, portal, refused } = setUp({
        ...options,
        clock: { now: () => 0, after: () => ({ [Symbol.dispose]() {} }) },
      });
      const outcome = await logIn(text);
      const result = 'login' in outcome ? outcome.login.avatarId : outcome.error.message;
      return {
        result,
        open: portal.openLogins,
        refused: refused.map(([error, username]) => [error.message, username]),
      };
    };
    await fc.assert(
      fc.asyncProperty(message, async (text) => {
        const expected = await outcomeOf({}, text);
        expect(await outcomeOf({ checker: slowUsers }, text)).toEqual(expected);
        expect(await outcomeOf({ isRealmSlow: true }, text)).toEqual(expected);
        expect(await outcomeOf({ checker: slowUsers, isRealmSlow: true }, text)).toEqual(expected);
      }),
    );
  });
});
