import { isPromise, type MaybePromise } from '@postern/core';
import { type AnyChecker, type AvatarId, askChecker, type Checker, type CredentialsOf } from '../checker.ts';
import type { Credentials } from '../credentials.ts';
import { hasDisconnected } from '../disconnection.ts';
import { LoginDenied, TemporaryFailure, UnauthorizedLogin } from '../errors.ts';
import { type Interface, isDerived } from '../interface.ts';
import { JoinedInterfaces } from '../joined-interfaces.ts';
import type { Mind } from '../mind.ts';

/**
 * Several user databases as one checker. It asks its members in order, each only about credentials
 * that the member judges:
 *
 * - A member that accepts ends the cascade.
 * - `UnauthorizedLogin` moves on to the next member.
 * - `LoginDenied` ends the cascade: the account is known, and closed.
 * - Any other error moves on. If no later member accepts, the result is a `TemporaryFailure`,
 *   because the member that failed may have known the user.
 *
 * @example
 * ```ts
 * import {
 *   AnonymousChecker,
 *   CascadingChecker,
 *   InMemoryUsernamePasswordDatabaseDontUse,
 * } from '@postern/cred';
 *
 * const staff = new InMemoryUsernamePasswordDatabaseDontUse({ joe: 's3cret' });
 * const customers = new InMemoryUsernamePasswordDatabaseDontUse({ ann: 'pa55word' });
 * const users = CascadingChecker.of(staff, customers, new AnonymousChecker());
 * ```
 */
export class CascadingChecker<C extends Credentials> implements Checker<C> {
  readonly #checkers: readonly AnyChecker[];
  readonly #interfaces: JoinedInterfaces<C>;

  private constructor(checkers: readonly AnyChecker[]) {
    if (checkers.length === 0) throw new TypeError('a cascade needs at least one checker');
    this.#checkers = checkers;
    this.#interfaces = new JoinedInterfaces(checkers, (lists) => [...new Set(lists.flat())]);
  }

  /**
   * Returns a cascade of the checkers, in this order. It judges all credentials that one of them
   * judges.
   *
   * @throws TypeError if there is no checker.
   */
  static of<const K extends readonly AnyChecker[]>(...checkers: K): CascadingChecker<CredentialsOf<K[number]>> {
    return new CascadingChecker(checkers);
  }

  /** The classes of credentials that a member judges now. */
  get credentialInterfaces(): readonly Interface<C>[] {
    return this.#interfaces.current;
  }

  /** Synchronous as long as its members are. */
  requestAvatarId(credentials: C, mind: Mind): MaybePromise<AvatarId> {
    return this.#askFrom(0, credentials, mind, []);
  }

  /** Asks the members from this one on. `errors` are those of earlier members, without refusals. */
  #askFrom(first: number, credentials: C, mind: Mind, errors: unknown[]): MaybePromise<AvatarId> {
    for (let member = first; member < this.#checkers.length; member++) {
      const checker = this.#checkers[member] as AnyChecker;
      if (!judges(checker, credentials)) continue;
      try {
        const avatarId = askChecker(checker, credentials, mind);
        if (!isPromise(avatarId)) return avatarId;
        return avatarId.catch((error: unknown) => {
          this.#moveOn(error, member, credentials, mind.signal.aborted, errors);
          return this.#askFrom(member + 1, credentials, mind, errors);
        });
      } catch (error) {
        // Nothing but the client can have ended a login while a member judged synchronously.
        this.#moveOn(error, member, credentials, hasDisconnected(mind), errors);
      }
    }
    if (errors.length === 0) throw new UnauthorizedLogin();
    throw new TemporaryFailure('no checker accepted the credentials, and at least one failed', {
      cause: errors.length === 1 ? errors[0] : new AggregateError(errors),
    });
  }

  /** Records the error of a member, or throws the error that ends the cascade. */
  #moveOn(error: unknown, member: number, credentials: C, hasEnded: boolean, errors: unknown[]): void {
    if (error instanceof LoginDenied) throw error;
    if (!(error instanceof UnauthorizedLogin)) errors.push(error);
    // The refusal of the last member is a refusal, also if the client has disconnected.
    const hasNext = this.#checkers.some((checker, index) => index > member && judges(checker, credentials));
    if (hasEnded && hasNext) {
      throw new TemporaryFailure('the login ended before all checkers were asked', { cause: error });
    }
  }
}

function judges(checker: AnyChecker, credentials: Credentials): boolean {
  const credentialInterface = credentials.constructor as Interface;
  for (const judged of checker.credentialInterfaces) if (isDerived(credentialInterface, judged)) return true;
  return false;
}
