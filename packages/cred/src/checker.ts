import { after, type MaybePromise } from '@postern/core';
import type { Credentials } from './credentials.ts';
import { TemporaryFailure, UnauthorizedLogin } from './errors.ts';
import type { InstanceOf, Interface } from './interface.ts';
import type { Mind } from './mind.ts';

/** The avatar id of a client without a name. A symbol, so that no user can have this name. */
export const ANONYMOUS: unique symbol = Symbol('anonymous');

/** The name by which a realm knows the user, never empty, or {@link ANONYMOUS}. */
export type AvatarId = string | typeof ANONYMOUS;

/** Judges credentials: the access of a portal to one user database. */
export interface Checker<C extends Credentials> {
  /**
   * The classes of credentials that this checker judges. Derived classes are included. The list may
   * change over time, for example after an import of users; portals and joined checkers follow it.
   * A getter returns the same array while the list is unchanged.
   */
  readonly credentialInterfaces: readonly Interface<C>[];

  /**
   * Returns the avatar id of the user that the credentials belong to. To return undefined is to
   * refuse.
   *
   * @throws UnauthorizedLogin if the credentials are wrong. A cascade asks its next checker.
   * @throws LoginDenied if the account is closed, whether or not the credentials are right.
   * Any other error counts as a {@link TemporaryFailure}.
   */
  // A property: the parameters of a method are bivariant, and a checker of passwords could be
  // registered for every proof of a password.
  readonly requestAvatarId: (credentials: C, mind: Mind) => MaybePromise<AvatarId>;
}

/**
 * Makes a checker of a function. The type of the credentials follows from the interfaces. To return
 * undefined is to refuse. Other results and errors are those of {@link Checker.requestAvatarId}.
 *
 * @example
 * ```ts
 * import { checker, UsernamePassword } from '@postern/cred';
 *
 * declare function isRight(username: string, password: string): Promise<boolean>;
 * const users = checker([UsernamePassword], async ({ username, password }) => {
 *   return (await isRight(username, password)) ? username : undefined;
 * });
 * ```
 */
export function checker<const I extends readonly Interface<Credentials>[]>(
  interfaces: I,
  judge: (credentials: InstanceOf<I[number]>, mind: Mind) => MaybePromise<AvatarId | undefined>,
): Checker<InstanceOf<I[number]>>;
export function checker<C extends Credentials>(
  interfaces: readonly Interface<C>[],
  judge: (credentials: C, mind: Mind) => MaybePromise<AvatarId | undefined>,
): Checker<C> {
  return {
    credentialInterfaces: interfaces,
    requestAvatarId: (credentials, mind) => after(judge(credentials, mind), assertAvatarId),
  };
}

/**
 * A checker of unknown credentials. Only a caller that has compared the credentials with
 * `credentialInterfaces` may call it, as the portal does.
 */
export interface AnyChecker {
  readonly credentialInterfaces: readonly Interface<Credentials>[];
  readonly requestAvatarId: (credentials: never, mind: Mind) => MaybePromise<AvatarId>;
}

/** The credentials that a checker judges; for a union of checkers, the union. */
export type CredentialsOf<K extends AnyChecker> = K extends Checker<infer C> ? C : never;

/**
 * Calls the checker and validates its result, for checkers that wrap others. The credentials must
 * be instances of one of its interfaces.
 *
 * @throws UnauthorizedLogin if the checker returns nothing.
 * @throws TemporaryFailure if the checker returns a value that is no avatar id.
 */
export function askChecker(checker: AnyChecker, credentials: Credentials, mind: Mind): MaybePromise<AvatarId> {
  return after<unknown, AvatarId>(checker.requestAvatarId(credentials as never, mind), assertAvatarId);
}

/** A checker that also knows which users exist, so that a server can refuse unknown recipients. */
export interface UserDirectory {
  /** Returns true if the user exists, in any case of letters. An error is a temporary failure. */
  readonly hasUser: (username: string) => MaybePromise<boolean>;
}

/** Returns true if the object, usually a checker, is a {@link UserDirectory}. */
export function isUserDirectory(value: object): value is UserDirectory {
  return 'hasUser' in value && typeof value.hasUser === 'function';
}

function assertAvatarId(result: unknown): AvatarId {
  if (result === undefined || result === null) {
    throw new UnauthorizedLogin('the checker returned no avatar id');
  }
  if (result === ANONYMOUS || (typeof result === 'string' && result !== '')) return result;
  throw new TemporaryFailure(
    'a checker returned a value that is no avatar id: expected a non-empty string or ANONYMOUS',
  );
}
