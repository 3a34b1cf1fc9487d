import type { MaybePromise } from '@postern/core';
import type { AvatarId } from './checker.ts';

/** The reason for the end of a login, for the log and for the avatar. */
export type LogoutReason = 'quit' | 'disconnected' | 'timeout' | 'reset' | 'shutdown';

/** Releases an avatar at the end of its login. The portal calls it once. */
export type OnLogout = (reason: LogoutReason) => MaybePromise<void>;

/** A login that a portal has granted: the avatar and its logout. `await using` logs out. */
export interface Login<A> extends AsyncDisposable {
  /** The user's name in the realm, or `ANONYMOUS`. */
  readonly avatarId: AvatarId;
  /** An instance of one of the interfaces that the protocol asked for. */
  readonly avatar: A;

  /**
   * Ends the login. Only the first call counts, with its reason; each call returns the same result:
   * undefined if the logout has ended synchronously, else a promise of its end. Call it from inside
   * the avatar's own logout only without waiting for it. Never throws: the promise rejects if the
   * logout fails or takes longer than `loginTimeout`. Default reason: `quit`.
   */
  logout(reason?: LogoutReason): MaybePromise<void>;
}
