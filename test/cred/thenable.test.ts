import {
  type AvatarId,
  CascadingChecker,
  type Checker,
  LoginDenied,
  type MaybePromise,
  type Mind,
  NoAvatar,
  Portal,
  type Realm,
  TemporaryFailure,
  UnauthorizedLogin,
  UsernamePassword,
} from '@postern/cred';
import { describe, expect, it } from 'vitest';
import { thenable } from '../support/thenable.ts';
import { joe, Mailbox, MemoryMailbox, mailboxes, portalOf, users } from './portal-support.ts';
import { mindOf } from './support.ts';

/** A checker whose results have `then` alone. */
class ThenableChecker implements Checker<UsernamePassword> {
  readonly credentialInterfaces = [UsernamePassword];
  readonly #outcome: { readonly value: AvatarId } | { readonly error: unknown };
  constructor(outcome: { readonly value: AvatarId } | { readonly error: unknown }) {
    this.#outcome = outcome;
  }
  requestAvatarId = (): MaybePromise<AvatarId> => thenable(this.#outcome);
}

async function login(portal: Portal, credentials = joe(), mind: Mind = mindOf()) {
  return await portal.login(credentials, mind, Mailbox);
}

describe('a checker that returns an object with nothing but then', () => {
  const wrong = new ThenableChecker({ error: new UnauthorizedLogin() });

  it('logs the user in', async () => {
    expect((await login(portalOf(new ThenableChecker({ value: 'joe' })))).avatarId).toBe('joe');
  });

  it('refuses with its own error', async () => {
    await expect(login(portalOf(wrong))).rejects.toBeInstanceOf(UnauthorizedLogin);
    const broken = new ThenableChecker({ error: new Error('the database is down') });
    await expect(login(portalOf(broken))).rejects.toBeInstanceOf(TemporaryFailure);
  });

  it('passes a login on in a cascade', async () => {
    expect((await login(new Portal(mailboxes()).register(CascadingChecker.of(wrong, users())))).avatarId).toBe('joe');
    await expect(login(portalOf(CascadingChecker.of(wrong, wrong)))).rejects.toBeInstanceOf(UnauthorizedLogin);
  });
});

describe('an object with nothing but then', () => {
  it('serves as the decision on an authorization identity', async () => {
    const options = { authorize: (_: AvatarId, authzid: string) => thenable<AvatarId>({ value: authzid }) };
    const portal = new Portal(mailboxes(), options).register(users());
    expect((await login(portal, new UsernamePassword('joe', 's3cret', 'ann'))).avatarId).toBe('ann');
    const denied = { authorize: () => thenable<AvatarId>({ error: new LoginDenied('not-authorized') }) };
    const strict = new Portal(mailboxes(), denied).register(users());
    await expect(login(strict, new UsernamePassword('joe', 's3cret', 'ann'))).rejects.toBeInstanceOf(LoginDenied);
  });

  it('serves as the answer of a realm, and of its logout', async () => {
    const avatar = new MemoryMailbox('joe');
    const logout = () => thenable<void>({ value: undefined });
    const realm = { requestAvatar: () => thenable<unknown>({ value: { avatar, logout } }) } as Realm;
    const portal = new Portal(realm).register(users());
    const open = await login(portal);
    expect(open.avatar).toBe(avatar);
    await open.logout();
    expect(portal.openLogins).toBe(0);
    const without = { requestAvatar: () => thenable<unknown>({ error: new NoAvatar('no mailbox') }) } as Realm;
    await expect(login(new Portal(without).register(users()))).rejects.toBeInstanceOf(NoAvatar);
  });
});
