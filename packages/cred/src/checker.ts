import type { AvatarId } from './avatar-id.ts';
import type { Credentials } from './credentials.ts';
import type { Interface, MaybePromise } from './interface.ts';
import type { Mind } from './mind.ts';

/** Judges credentials: the door between a portal and one user database. */
export interface Checker<C extends Credentials> {
  /** The classes of credentials it judges; credentials of derived classes are judged too. */
  readonly credentialInterfaces: readonly Interface<C>[];

  /**
   * Whose credentials they are. Rejects with UnauthorizedLogin if they are nobody's, with LoginDenied if the account is closed;
   * any other error counts as a TemporaryFailure.
   */
  requestAvatarId(credentials: C, mind: Mind): MaybePromise<AvatarId>;
}

/** A checker of whatever credentials; only a portal, which looks at `credentialInterfaces` first, may call it. */
export interface AnyChecker {
  readonly credentialInterfaces: readonly Interface<Credentials>[];
  requestAvatarId(credentials: never, mind: Mind): MaybePromise<AvatarId>;
}

/** What a checker, or each of a union of checkers, judges. */
export type CredentialsOf<K extends AnyChecker> = K extends Checker<infer C> ? C : never;
