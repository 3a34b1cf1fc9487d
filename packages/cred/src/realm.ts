import { after, type MaybePromise } from '@postern/core';
import type { AvatarId } from './avatar-id.ts';
import { NoAvatar } from './errors.ts';
import type { Interface } from './interface.ts';
import { Login, type LogoutReason } from './login.ts';
import type { Mind } from './mind.ts';

/** Hands out avatars: the objects through which one user acts in one protocol. */
export interface Realm {
  /**
   * The avatar of that user for the first of the interfaces that the realm can serve, with the way out.
   * Rejects with NoAvatar if it serves none of them, with LoginDenied if it does not let this user in.
   */
  requestAvatar<A>(avatarId: AvatarId, mind: Mind, interfaces: readonly Interface<A>[]): MaybePromise<Login<A>>;

  /**
   * Returns false if the realm has no avatar of this interface for anybody, so that a server that needs one does not start. Without
   * this method a realm is asked only with the first login.
   */
  provides?(avatarInterface: Interface): boolean;
}

/** Makes one user's avatar. What it returns is logged out by its own `Symbol.asyncDispose` or `Symbol.dispose`, if it has one. */
export type AvatarFactory<A> = (avatarId: AvatarId, mind: Mind) => MaybePromise<A>;

/** The usual realm: a factory for each avatar interface. */
export class AvatarRealm implements Realm {
  readonly #factories = new Map<Interface, AvatarFactory<unknown>>();

  /** Serves the interface with what the factory makes. One factory an interface: a second one is an error. */
  provide<A extends object>(avatarInterface: Interface<A>, factory: AvatarFactory<A>): this {
    if (this.#factories.has(avatarInterface)) {
      throw new TypeError(`this realm provides ${avatarInterface.name} already`);
    }
    this.#factories.set(avatarInterface, factory);
    return this;
  }

  provides(avatarInterface: Interface): boolean {
    return this.#factories.has(avatarInterface);
  }

  requestAvatar<A>(avatarId: AvatarId, mind: Mind, interfaces: readonly Interface<A>[]): MaybePromise<Login<A>> {
    for (const wanted of interfaces) {
      const factory = this.#factories.get(wanted) as AvatarFactory<A> | undefined;
      if (factory === undefined) continue;
      return after(factory(avatarId, mind), (avatar) => new Login(avatarId, avatar, dispose));
    }
    return Promise.reject(
      new NoAvatar(`the realm provides none of ${interfaces.map((wanted) => wanted.name).join(', ')}`),
    );
  }
}

function dispose(_reason: LogoutReason, { avatar }: Login<unknown>): MaybePromise<void> {
  const { [Symbol.asyncDispose]: asyncDispose, [Symbol.dispose]: syncDispose } = avatar as Partial<
    AsyncDisposable & Disposable
  >;
  if (asyncDispose !== undefined) return asyncDispose.call(avatar as AsyncDisposable) as Promise<void>;
  syncDispose?.call(avatar as Disposable);
}
