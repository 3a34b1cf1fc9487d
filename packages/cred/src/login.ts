import { isPromise, type MaybePromise } from '@postern/core';
import type { AvatarId } from './avatar-id.ts';

/** Why a login ends: for the log and for avatars that care. */
export type LogoutReason = 'quit' | 'disconnected' | 'timeout' | 'reset' | 'shutdown';

/** What is done when a login ends; it may be the same function for many logins. */
export type OnLogout = (reason: LogoutReason, login: Login<unknown>) => MaybePromise<void>;

/** Someone who is logged in: the avatar, and the way out. */
export class Login<A> implements AsyncDisposable {
  /** Who it is. */
  readonly avatarId: AvatarId;
  /** What acts for the user, of the interface that was asked for. */
  readonly avatar: A;
  readonly #onLogout: OnLogout;
  #ended: Promise<void> | undefined = undefined;

  constructor(avatarId: AvatarId, avatar: A, onLogout: OnLogout = () => {}) {
    this.avatarId = avatarId;
    this.avatar = avatar;
    this.#onLogout = onLogout;
  }

  /**
   * Ends the login. The first call counts, with its reason; every call resolves, or rejects, when the logging out has ended. It must not
   * be waited for by what is done then.
   */
  logout(reason: LogoutReason = 'quit'): Promise<void> {
    return this.logoutNow(reason) ?? Promise.resolve();
  }

  /** The same, for who need not wait a turn: undefined if the logging out has ended at once. */
  logoutNow(reason: LogoutReason = 'quit'): MaybePromise<void> {
    if (this.#ended !== undefined) return this.#ended;
    // Before the call: an avatar that at once logs itself out, too, must not begin again, nor wait for itself.
    this.#ended = OVER;
    try {
      const leaving = this.#onLogout(reason, this);
      if (!isPromise(leaving)) return undefined;
      this.#ended = Promise.resolve(leaving);
    } catch (error) {
      this.#ended = Promise.reject(error);
    }
    return this.#ended;
  }

  /** Logs out, for `quit`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.logout();
  }
}

const OVER = Promise.resolve();
