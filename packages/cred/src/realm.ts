import { after, type MaybePromise } from '@postern/core';
import type { AvatarId } from './checker.ts';
import { NoAvatar } from './errors.ts';
import { type Interface, namesOf } from './interface.ts';
import type { OnLogout } from './login.ts';
import type { Mind } from './mind.ts';

/** Returns avatars: the objects through which one user acts in one protocol. */
export interface Realm {
  /**
   * Returns the user's avatar for the first of the interfaces that the realm serves, with its
   * logout.
   *
   * @throws NoAvatar if the realm serves none of the interfaces.
   * @throws LoginDenied if the realm refuses this user.
   */
  requestAvatar<A>(avatarId: AvatarId, mind: Mind, interfaces: readonly Interface<A>[]): MaybePromise<RealmAvatar<A>>;

  /**
   * Returns false if the realm serves no user with this interface. A server that needs one then
   * fails at its start, and not at the first login. Left out by a realm that cannot know.
   */
  provides?(avatarInterface: Interface): boolean;
}

/** An avatar and, if it needs one, its logout. Twisted's realm returns the interface as well. */
export interface RealmAvatar<A> {
  readonly avatar: A;
  readonly logout?: OnLogout | undefined;
}

/**
 * Makes the avatar of one user. Its `Symbol.asyncDispose` or `Symbol.dispose`, if it has one, runs
 * at the logout.
 */
export type AvatarFactory<A> = (avatarId: AvatarId, mind: Mind) => MaybePromise<A>;

/**
 * A realm with one factory for each avatar interface.
 *
 * @example
 * ```ts
 * import { type AvatarId, AvatarRealm } from '@postern/cred';
 *
 * class Mailbox {
 *   readonly owner: AvatarId;
 *   constructor(owner: AvatarId) {
 *     this.owner = owner;
 *   }
 * }
 * const realm = new AvatarRealm().provide(Mailbox, (avatarId) => new Mailbox(avatarId));
 * ```
 */
export class AvatarRealm implements Realm {
  readonly #factories = new Map<Interface, AvatarFactory<unknown>>();

  /**
   * Serves the interface with the avatars of the factory.
   *
   * @throws TypeError if the realm provides the interface already, and for an avatar in place of a
   * factory.
   */
  provide<A extends object>(avatarInterface: Interface<A>, factory: AvatarFactory<NoInfer<A>>): this {
    if (typeof factory !== 'function') {
      const { name } = avatarInterface;
      throw new TypeError(`provide(${name}, factory): expected a function that returns a ${name}, not an object`);
    }
    if (this.#factories.has(avatarInterface)) {
      throw new TypeError(`this realm provides ${avatarInterface.name} already`);
    }
    this.#factories.set(avatarInterface, factory);
    return this;
  }

  provides(avatarInterface: Interface): boolean {
    return this.#factories.has(avatarInterface);
  }

  requestAvatar<A>(avatarId: AvatarId, mind: Mind, interfaces: readonly Interface<A>[]): MaybePromise<RealmAvatar<A>> {
    for (const wanted of interfaces) {
      const factory = this.#factories.get(wanted) as AvatarFactory<A> | undefined;
      if (factory === undefined) continue;
      return after(factory(avatarId, mind), withLogout);
    }
    return Promise.reject(new NoAvatar(`the realm provides none of ${namesOf(interfaces)}`));
  }
}

function withLogout<A>(avatar: A): RealmAvatar<A> {
  return { avatar, logout: disposerOf(avatar) };
}

function disposerOf(avatar: unknown): OnLogout | undefined {
  const disposable = avatar as Partial<AsyncDisposable & Disposable> | undefined | null;
  if (disposable?.[Symbol.asyncDispose] !== undefined) {
    return () => (disposable as AsyncDisposable)[Symbol.asyncDispose]() as Promise<void>;
  }
  if (disposable?.[Symbol.dispose] === undefined) return undefined;
  return () => (disposable as Disposable)[Symbol.dispose]();
}
