import type { AvatarId } from '../avatar-id.ts';
import { type AnyChecker, askChecker, type Checker, type CredentialsOf } from '../checker.ts';
import type { Credentials } from '../credentials.ts';
import { LoginDenied, TemporaryFailure, UnauthorizedLogin } from '../errors.ts';
import { type Interface, isDerived } from '../interface.ts';
import type { Mind } from '../mind.ts';

/**
 * Several user databases as one: asks its checkers in order, each only about credentials that it judges, until one recognises
 * the client. A refusal goes on to the next; a denial ends it, since that account is known and closed; trouble in one goes on
 * too, but if then nobody accepts, it is a TemporaryFailure: the database that was down may have known the user.
 */
export class CascadingChecker<C extends Credentials> implements Checker<C> {
  readonly credentialInterfaces: readonly Interface<C>[];
  readonly #checkers: readonly AnyChecker[];

  private constructor(checkers: readonly AnyChecker[]) {
    if (checkers.length === 0) throw new TypeError('a cascade needs a checker');
    this.#checkers = checkers;
    const interfaces = new Set(checkers.flatMap((checker) => checker.credentialInterfaces));
    this.credentialInterfaces = Object.freeze([...interfaces]) as readonly Interface<C>[];
  }

  /** A cascade of these checkers, in this order, for all the credentials that any of them judges. */
  static of<const K extends readonly AnyChecker[]>(...checkers: K): CascadingChecker<CredentialsOf<K[number]>> {
    return new CascadingChecker(checkers);
  }

  async requestAvatarId(credentials: C, mind: Mind): Promise<AvatarId> {
    const troubles: unknown[] = [];
    for (const checker of this.#checkers) {
      if (!judges(checker, credentials)) continue;
      try {
        return await askChecker(checker, credentials, mind);
      } catch (error) {
        if (error instanceof LoginDenied) throw error;
        if (!(error instanceof UnauthorizedLogin)) troubles.push(error);
        if (mind.signal.aborted) throw new TemporaryFailure('the login ended before all were asked', { cause: error });
      }
    }
    if (troubles.length === 0) throw new UnauthorizedLogin();
    throw new TemporaryFailure('no checker accepted, and at least one did not work', {
      cause: troubles.length === 1 ? troubles[0] : new AggregateError(troubles),
    });
  }
}

function judges(checker: AnyChecker, credentials: Credentials): boolean {
  const theirs = credentials.constructor as Interface;
  return checker.credentialInterfaces.some((credentialInterface) => isDerived(theirs, credentialInterface));
}
