import assert from 'node:assert/strict';
import {
  type AvatarId,
  type Interface,
  LoginDenied,
  type LogoutReason,
  type MaybePromise,
  NoAvatar,
  Portal,
  type Realm,
  TrustedLogin,
  TrustedLoginChecker,
} from '@postern/cred';
import { testMind } from '../test-mind.ts';
import { type ContractCase, skippedCase } from './case.ts';

/** A realm, and the inputs of its contract. */
export interface RealmContract {
  /** Makes the realm for each rule, or returns the same one. */
  readonly make: () => MaybePromise<Realm>;
  /** An interface that the realm serves. */
  readonly avatarInterface: Interface<object>;
  /** A user with an avatar of this interface. */
  readonly user: string;
  /** A user that the realm refuses with `LoginDenied`. Without it that rule is skipped. */
  readonly deniedUser?: string;
}

/**
 * Returns the rules of every {@link Realm}: an avatar of the requested class with a logout, or one
 * of two errors.
 *
 * @example
 * ```ts
 * import { AvatarRealm } from '@postern/cred';
 * import { realmContract } from '@postern/testing';
 * import { it } from 'vitest';
 *
 * class Mailbox {}
 * const make = () => new AvatarRealm().provide(Mailbox, () => new Mailbox());
 * const cases = realmContract({ make, avatarInterface: Mailbox, user: 'joe' });
 * for (const { name, run, skipped } of cases) it.skipIf(skipped !== undefined)(name, run);
 * ```
 */
export function realmContract(contract: RealmContract): readonly ContractCase[] {
  const { make, deniedUser } = contract;
  const denies = 'refuses a user with LoginDenied';
  return [
    ...Object.entries(rules(contract)).map(([name, rule]) => ({
      name,
      run: async () => rule(await make()),
    })),
    deniedUser === undefined
      ? skippedCase(denies, 'the contract has no `deniedUser`')
      : { name: denies, run: async () => deniesUser(await make(), contract, deniedUser) },
  ];
}

function rules({ avatarInterface, user }: RealmContract): Readonly<Record<string, (realm: Realm) => Promise<void>>> {
  return {
    async 'returns an avatar of the requested class'(realm) {
      const { avatar } = await request(realm, user, avatarInterface);
      assert.ok(avatar instanceof avatarInterface);
    },

    async 'skips requested interfaces that it does not serve'(realm) {
      const { avatar } = await request(realm, user, Unserved, avatarInterface);
      assert.ok(avatar instanceof avatarInterface);
    },

    async 'throws NoAvatar if it serves none of the interfaces'(realm) {
      await assert.rejects(async () => request(realm, user, Unserved), NoAvatar);
      await assert.rejects(async () => request(realm, user), NoAvatar);
    },

    async 'does not deny an interface that it serves'(realm) {
      assert.notEqual(realm.provides?.(avatarInterface), false);
    },

    async 'logs an avatar out for each reason'(realm) {
      for (const reason of REASONS) {
        const given = await request(realm, user, avatarInterface);
        await given.logout?.(reason);
      }
    },

    async 'serves several logins of one user at the same time'(realm) {
      const logins = await Promise.all(Array.from({ length: 10 }, async () => request(realm, user, avatarInterface)));
      const [first, ...others] = logins;
      await first?.logout?.('quit');
      for (const { avatar } of others) assert.ok(avatar instanceof avatarInterface);
      await Promise.all(others.map(async (login) => login.logout?.('quit')));
    },

    async 'logs a user in and out through a portal'(realm) {
      const portal = new Portal(realm).register(new TrustedLoginChecker());
      const login = await portal.login(new TrustedLogin(user), testMind(), avatarInterface);
      assert.equal(login.avatarId, user);
      assert.ok(login.avatar instanceof avatarInterface);
      await login.logout();
      assert.equal(portal.openLogins, 0);
    },
  };
}

async function deniesUser(realm: Realm, { avatarInterface }: RealmContract, deniedUser: string): Promise<void> {
  await assert.rejects(async () => request(realm, deniedUser, avatarInterface), LoginDenied);
}

function request(realm: Realm, user: AvatarId, ...interfaces: readonly Interface<object>[]) {
  return realm.requestAvatar(user, testMind(), interfaces);
}

/** An interface that no realm knows. */
abstract class Unserved {}

const REASONS: readonly LogoutReason[] = ['quit', 'disconnected', 'timeout', 'reset', 'shutdown'];
