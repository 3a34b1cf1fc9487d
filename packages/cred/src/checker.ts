import { after, type MaybePromise } from '@postern/core';
import { ANONYMOUS, type AvatarId } from './avatar-id.ts';
import type { Credentials } from './credentials.ts';
import { TemporaryFailure, UnauthorizedLogin } from './errors.ts';
import type { Interface } from './interface.ts';
import type { Mind } from './mind.ts';

/** Judges credentials: the door between a portal and one user database. */
export interface Checker<C extends Credentials> {
  /** The classes of credentials it judges; credentials of derived classes are judged too. */
  readonly credentialInterfaces: readonly Interface<C>[];

  /**
   * Whose credentials they are. Rejects with UnauthorizedLogin if they are nobody's, with LoginDenied if the account is closed;
   * any other error counts as a TemporaryFailure. Nothing returned is a refusal.
   */
  // A property, since methods would let a checker of some credentials pass for one of more than these.
  readonly requestAvatarId: (credentials: C, mind: Mind) => MaybePromise<AvatarId>;
}

/** A checker of whatever credentials; only a portal, which looks at `credentialInterfaces` first, may call it. */
export interface AnyChecker {
  readonly credentialInterfaces: readonly Interface<Credentials>[];
  readonly requestAvatarId: (credentials: never, mind: Mind) => MaybePromise<AvatarId>;
}

/** What a checker, or each of a union of checkers, judges. */
export type CredentialsOf<K extends AnyChecker> = K extends Checker<infer C> ? C : never;

/** Asks a checker that judges these credentials, and holds it to its word: whom it recognised is somebody. */
export function askChecker(checker: AnyChecker, credentials: Credentials, mind: Mind): MaybePromise<AvatarId> {
  return after<unknown, AvatarId>(checker.requestAvatarId(credentials as never, mind), assertAvatarId);
}

function assertAvatarId(answer: unknown): AvatarId {
  if (answer === undefined || answer === null) throw new UnauthorizedLogin('the checker came to no decision');
  if (answer === ANONYMOUS || (typeof answer === 'string' && answer !== '')) return answer;
  throw new TemporaryFailure('a checker returned something that is no avatar id');
}
