import { type Indexed, isPromise, type MaybePromise } from '@postern/core';
import type { AvatarId } from './checker.ts';
import type { Login, LogoutReason } from './login.ts';
import type { LoginAttempt } from './login-attempt.ts';
import type { RealmAvatar } from './realm.ts';

/** Ends a login for its portal. One function serves all logins of the portal. */
export type EndLogin = (login: OpenLogin<unknown>, reason: LogoutReason) => MaybePromise<void>;

/** A login as its portal keeps it, from the realm's answer until the end of the logout. */
export class OpenLogin<A> implements Login<A>, Indexed {
  index = -1;
  readonly avatarId: AvatarId;
  readonly avatar: A;
  /** The realm's answer, with its part of the logout. */
  readonly given: RealmAvatar<unknown>;
  /** The attempt, if something listens to it and the logout has to release it. */
  readonly attempt: LoginAttempt | undefined;
  readonly #end: EndLogin;
  #ended: Promise<void> | undefined = undefined;

  constructor(avatarId: AvatarId, avatar: A, given: RealmAvatar<unknown>, attempt: LoginAttempt, end: EndLogin) {
    this.avatarId = avatarId;
    this.avatar = avatar;
    this.given = given;
    this.attempt = attempt.isFollowed ? attempt : undefined;
    this.#end = end;
  }

  logout(reason: LogoutReason = 'quit'): MaybePromise<void> {
    if (this.#ended !== undefined) return this.#ended;
    // Set before the call: an avatar that logs itself out must neither start again nor wait for
    // itself.
    this.#ended = ENDED;
    try {
      const result = this.#end(this, reason);
      if (!isPromise(result)) return undefined;
      this.#ended = result;
    } catch (error) {
      this.#ended = Promise.reject(error);
    }
    return this.#ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.logout();
  }
}

const ENDED = Promise.resolve();
