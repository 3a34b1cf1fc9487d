import type { AvatarId } from './avatar-id.ts';
import type { MaybePromise } from './interface.ts';

/** Why a login ends: for the log and for avatars that care. */
export type LogoutReason = 'quit' | 'disconnected' | 'timeout' | 'reset' | 'shutdown';

/** Someone who is logged in: the avatar, and the way out. */
export class Login<A> implements AsyncDisposable {
  readonly avatarId: AvatarId;
  readonly avatar: A;
  readonly #onLogout: (reason: LogoutReason) => MaybePromise<void>;
  #ended: Promise<void> | undefined;

  constructor(avatarId: AvatarId, avatar: A, onLogout: (reason: LogoutReason) => MaybePromise<void> = () => {}) {
    this.avatarId = avatarId;
    this.avatar = avatar;
    this.#onLogout = onLogout;
  }

  /** Ends the login. The first call counts, with its reason; every call resolves, or rejects, when the logging out has ended. */
  logout(reason: LogoutReason = 'quit'): Promise<void> {
    if (this.#ended === undefined) {
      const { promise, resolve } = Promise.withResolvers<void>();
      // Before the call: an avatar that logs itself out while it is being logged out must not begin again.
      this.#ended = promise;
      resolve(this.#end(reason));
    }
    return this.#ended;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.logout();
  }

  async #end(reason: LogoutReason): Promise<void> {
    await this.#onLogout(reason);
  }
}
