import type { AvatarId } from '../avatar-id.ts';
import { type AnyChecker, askChecker, type Checker, type CredentialsOf } from '../checker.ts';
import type { Credentials } from '../credentials.ts';
import { LoginDenied, type LoginError, TemporaryFailure, UnauthorizedLogin } from '../errors.ts';
import { type Interface, isDerived } from '../interface.ts';
import type { Mind } from '../mind.ts';

/** What every one of a union of checkers judges: the intersection, which is how TypeScript infers one argument for many functions. */
type Common<K extends AnyChecker> = (K extends unknown ? (credentials: CredentialsOf<K>) => void : never) extends (
  credentials: infer C,
) => void
  ? C & Credentials
  : never;

/**
 * Several factors: every checker has to recognise the client, and all as the same. All are asked even after one has refused, so
 * that neither the answer nor its time tells which factor was wrong. Nothing is remembered from one login to the next.
 * Credentials that can be verified only once, such as SCRAM's, can be proved to one of the checkers at most.
 */
export class AllOfChecker<C extends Credentials> implements Checker<C> {
  readonly credentialInterfaces: readonly Interface<C>[];
  readonly #checkers: readonly AnyChecker[];

  private constructor(checkers: readonly AnyChecker[]) {
    this.#checkers = checkers;
    const all = new Set(checkers.flatMap((checker) => checker.credentialInterfaces));
    const common = [...all].filter((one) =>
      checkers.every((checker) => checker.credentialInterfaces.some((theirs) => isDerived(one, theirs))),
    );
    if (common.length === 0) throw new TypeError('these checkers have no kind of credentials in common');
    this.credentialInterfaces = Object.freeze(common) as readonly Interface<C>[];
  }

  /** A checker that asks all of these. They must have a kind of credentials in common. */
  static of<const K extends readonly AnyChecker[]>(...checkers: K): AllOfChecker<Common<K[number]>> {
    return new AllOfChecker(checkers);
  }

  async requestAvatarId(credentials: C, mind: Mind): Promise<AvatarId> {
    const errors: unknown[] = [];
    const avatarIds = new Set<AvatarId>();
    for (const checker of this.#checkers) {
      try {
        avatarIds.add(await askChecker(checker, credentials, mind));
      } catch (error) {
        errors.push(error);
      }
    }
    const [avatarId, ...others] = avatarIds;
    if (errors.length > 0) throw gravest(errors);
    if (avatarId === undefined || others.length > 0)
      throw new UnauthorizedLogin('the factors belong to different users');
    return avatarId;
  }
}

/** A refusal is certain, whatever else happened; a denial needs all other factors to be right, or it would tell that they are. */
function gravest(errors: readonly unknown[]): LoginError {
  const refusal = errors.find((error) => error instanceof UnauthorizedLogin);
  if (refusal !== undefined) return refusal;
  const trouble = errors.find((error) => !(error instanceof LoginDenied));
  if (trouble !== undefined) return new TemporaryFailure('a factor could not be checked', { cause: trouble });
  return errors[0] as LoginDenied;
}
